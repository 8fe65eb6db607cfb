"""Update the READMEs: the lists of scripts from the docstrings, the transcripts from what the commands print.

Run:    make readme

README.md gives the order of the scripts, and the docstrings give the words; the list on the site's page is made from both.
A transcript that still matches (by the rules of the tests) is not changed. If a transcript no longer matches, its unchanged
lines keep their placeholders, such as <name>.
"""
import html
import re
import sys

import course
from harness import Failure


SITE = "day12/site/index.html"
ROW = re.compile(r"^\| \[([^\]]+)\]\((day[^)]+\.py)\) \|.*\|$", re.MULTILINE)
DAY = re.compile(r"^### \[(Day \d+)\]", re.MULTILINE)


def main():
    rewritten = 0
    for page, text in stale_lists().items():
        (course.ROOT / page).write_text(text, encoding="utf-8")
        print(f"{page}: list of scripts rewritten")
        rewritten += 1
    for page in sorted({transcript.page for transcript in course.transcripts()}):
        try:
            for transcript in update(page):
                print(f"{page}:{transcript.line}: rewritten: {transcript.command}")
                rewritten += 1
        except Failure as error:
            sys.exit(f"{page}: {error}")
    print(f"{rewritten} rewritten")


def stale_lists():
    """Return {page: new text} of those pages (README.md and the site's page) whose lists of scripts are out of date."""
    pages = {"README.md": list_of_readme, SITE: list_of_site}
    old = {page: (course.ROOT / page).read_text(encoding="utf-8") for page in pages if (course.ROOT / page).exists()}
    new = {page: pages[page](text) for page, text in old.items()}
    return {page: text for page, text in new.items() if text != old[page]}


def list_of_readme(text):
    return ROW.sub(lambda row: f"| [{row[1]}]({row[2]}) | {course.shows(course.describe(row[2]))} |", text)


def list_of_site(text):
    """Return the site's page (text) with the scripts of each day below the day's heading, as README.md lists them."""
    readme = (course.ROOT / "README.md").read_text(encoding="utf-8")
    for day, rows in zip(DAY.findall(readme), DAY.split(readme)[2::2]):
        items = "".join(item(path, name) for name, path in ROW.findall(rows))
        text = re.sub(rf"(<h3>{day}:(?:.*\n)+?.*<ul>\n)(?:.*\n)*?( *</ul>)", lambda found: found[1] + items + found[2], text)
    return text


def item(path, name):
    script = course.describe(path)
    return f'''            <li data-path="{path}">
              <a class="name" href="/source/{path}">{name}</a>
              <span class="shows">{code(script.title.rstrip("."))}
                <span lang="zh">{code(script.title_zh.rstrip("。"))}</span></span>
            </li>
'''


def code(text):
    """Return text as HTML, with the parts between backquotes as <code>."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def update(page):
    """Rewrite the transcripts of a page that no longer match; return them, the last one first."""
    path = course.ROOT / page
    lines = path.read_text(encoding="utf-8").split("\n")
    rewritten = []
    for transcript in reversed([one for one in course.transcripts() if one.page == page]):     # reversed, so that line numbers stay true
        markers = transcript.markers.split()
        if "skip" in markers:
            continue
        printed = course.output_of(transcript.command.split()[1]).splitlines()
        if course.compare(transcript.output, printed, "unordered" in markers, "masked" in markers):
            start = transcript.line + 1            # the output begins after the fence and the command
            lines[start:start + len(transcript.output)] = merge(transcript.output, printed, "masked" in markers)
            rewritten.append(transcript)
    if rewritten:
        path.write_text("\n".join(lines), encoding="utf-8")
    return rewritten


def merge(template, printed, masked):
    """Return the printed lines; where a line of the template matches one, take the template's line instead."""
    unused, merged = list(template), []
    for line in printed:
        old = next((one for one in unused if re.fullmatch(course.line_pattern(one, masked), line)), line)
        if old in unused:
            unused.remove(old)
        merged.append(old)
    return merged


if __name__ == "__main__":
    main()
