"""Which names are allowed in the room, and which names count as the same.
哪些姓名可以使用，哪些姓名算作同一个

Each line is shown with the name of its speaker, so a name must not look like the name of another
member or of the administrator. Unicode has about 150,000 characters, too many to list those
that must be forbidden. Instead, a rule says which characters are allowed. The rule uses the
category of a character (letter, mark, ...) and its Unicode name. The first word of the Unicode name
is the script, as in CYRILLIC SMALL LETTER O.
规则只说明允许什么：字符的类别，以及它所属的文字；其余一律不允许。

Source: Unicode Technical Standard 39, Unicode Security Mechanisms (sections 4 and 5.2).
"""
import re
import unicodedata

ADMIN = "管理员消息"
RESERVED = "管理"
MAX_NAME = 32                   # characters
MAX_MARKS = 4                   # on one letter; Tibetan and Burmese need up to four

# 可以使用的文字。Scripts of living languages, except scripts that look like others (Lisu, ...).
SCRIPTS = set("""LATIN GREEK CYRILLIC ARMENIAN GEORGIAN HEBREW ARABIC SYRIAC THAANA ETHIOPIC
    DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU KANNADA MALAYALAM SINHALA
    THAI LAO KHMER MYANMAR TIBETAN MONGOLIAN YI
    CJK HIRAGANA KATAKANA BOPOMOFO HANGUL""".split())
# A name may mix the scripts of one of these groups, which are written together.
TOGETHER = [{"LATIN", "CJK", "HIRAGANA", "KATAKANA"}, {"LATIN", "CJK", "BOPOMOFO"},
            {"LATIN", "CJK", "HANGUL"}]
# A name may contain all visible ASCII characters except the colon, and a few signs that separate
# the parts of a name, as in 阿凡提·买买提.
PUNCTUATION = set(map(chr, range(0x21, 0x7f))) - {":"} | set("·・་’")
# 看起来像冒号的，和看不见的：从 Unicode 名称中辨认。
COLON = re.compile(r"\bCOLON\b|\bRATIO\b|TWO DOT|VISARGA|RNAM BCAD")
UNSEEN = re.compile(r"FILLER|SELECTOR|JOINER|INHERENT|BLANK")
# Pairs that look alike: after casefold, each character in the upper line becomes the character
# below it. 形近字：上一行的字符换成下一行的。
LOOKS = str.maketrans(
    "авсԁеһіјӏкмнорԛѕтуѵԝх" + "αβεηικνορτυχγ" + "01|ıɩ" + "口力二工卜夕八一へべぺり" + "’・",
    "abcdehljlkmhopqstyvwx" + "abehlkvoptuxy" + "ollll" + "ロカニエトタハーヘベペリ" + "'·")


def comparable(name):
    """Return the name's skeleton. Many names that look alike have the same skeleton.

    Examples: Bob, bob and Ｂｏｂ; Paul and Pau1; сосо in Cyrillic letters and coco in Latin
    letters.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # NFKC has merged a mark with its letter if Unicode has one character for both. Remove the
    # remaining marks, which are easy to overlook.
    marked = (c for c in folded if not is_combining(c))
    # In many fonts I, l, 1 and | look alike, so all of them become l.
    return "".join(marked).replace("i", "l").translate(LOOKS)


def objection_to(name):
    """Return why this name is not allowed, in both languages, or None if it is allowed."""
    if not name:
        return "the name is empty · 姓名不能为空"
    if len(name) > MAX_NAME:
        return f"a name has at most {MAX_NAME} characters · 姓名最多 {MAX_NAME} 个字符"
    if not name.isprintable() or " " in name or "\N{REPLACEMENT CHARACTER}" in name:
        return "a name cannot contain spaces or control characters · 姓名不能有空格或控制字符"
    # Check the name's characters, and also their plain forms: Ｂ becomes B, ﬁ becomes fi.
    plain = unicodedata.normalize("NFKC", name)
    # Check each character once, in order of appearance.
    characters = dict.fromkeys(name + plain)
    return objection_to_characters(characters) or objection_to_whole(plain)


def objection_to_characters(characters):
    if any(UNSEEN.search(name_of(c)) for c in characters):
        return "a name cannot contain invisible characters · 姓名不能有看不见的字符"
    # A line from a member called "Bob：hello" would look like a line from Bob.
    if any(c == ":" or COLON.search(name_of(c)) for c in characters):
        return "a name cannot contain a colon · 姓名不能有冒号"
    for c in characters:
        if not is_allowed(c):
            return f"a name cannot contain {c} · 姓名不能有这个字符"
    return None


def objection_to_whole(name):
    """Check the scripts, marks and words of a whole name. Return why it is not allowed, or None.

    name: a name in the normal form NFKC that contains only allowed characters.
    """
    scripts = {script_of(c) for c in name} & SCRIPTS
    if len(scripts) > 1 and not any(scripts <= group for group in TOGETHER):
        mixed = " and ".join(sorted(scripts))
        return f"a name cannot mix {mixed} letters · 姓名不能混用这些文字"
    marks = [unicodedata.category(c)[0] == "M" for c in name]
    if marks[0]:
        return "a name cannot begin with a mark · 姓名不能以附加符号开头"
    if any(all(marks[i:i + MAX_MARKS + 1]) for i in range(len(marks) - MAX_MARKS)):
        return "the name has too many marks on one letter · 姓名的一个字母上符号太多"
    # 管理员, 管理員, 管理员消息, 管理员.消息, ...
    letters = "".join(c for c in comparable(name) if c.isalpha())
    if letters.startswith(RESERVED) and letters != RESERVED:
        return f"the name {name} is reserved · 这个姓名是保留的"
    return None


def is_allowed(c):
    """Return True if a name may contain the character in at least one position."""
    category = unicodedata.category(c)
    if c in PUNCTUATION or is_combining(c):
        return True
    plain = unicodedata.normalize("NFKC", c)
    if plain != c:
        # The character stands for the text `plain`, which objection_to also checks. If `plain` has
        # several characters, all must be letters, marks or digits: ︰ stands for two full stops.
        return len(plain) == 1 or all(unicodedata.category(part)[0] in "LMN" for part in plain)
    if category in ("So", "Sk"):
        # Allow pictures such as 😀, which take two columns. Other symbols can look like letters or
        # colons.
        wide = unicodedata.east_asian_width(c) == "W"
        return wide and name_of(c).split(" ")[0] not in ("CJK", "IDEOGRAPHIC", "HANGUL", "YI")
    if script_of(c) == "LATIN":
        return is_usual_latin(c)
    return script_of(c) in SCRIPTS and category[0] in "LMN"


def is_usual_latin(letter):
    """Return False for a phonetic letter such as ɑ or ʙ, which looks like another letter."""
    base = unicodedata.normalize("NFKD", letter)[0]
    return base.lower() != base.upper() and min(base.casefold(), base.upper()) < "\u0250"


def is_combining(c):
    """Return True for a mark on a letter, such as an accent, that is named COMBINING."""
    return unicodedata.combining(c) > 0 and name_of(c).startswith("COMBINING ")


def script_of(c):
    """Return the script of a letter, mark or digit: the first word of its Unicode name."""
    first = re.split("[ -]", name_of(c))[0]
    return "CJK" if first == "IDEOGRAPHIC" else first


def name_of(c):
    return unicodedata.name(c, "")
