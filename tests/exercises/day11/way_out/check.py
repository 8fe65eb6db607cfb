"""How way_out is judged."""
from pathlib import Path

from judge.verdict import Refused

HINTS = [
    ('Where does folder + "/" + "../secret.txt" lead?',
     'folder + "/" + "../secret.txt" 指向哪里？'),
    ("Do not check the name; check the real path to which it leads: os.path.realpath.",
     "不要看名字，要看它最终指向的位置：os.path.realpath。"),
    ("Apply realpath to folder and path, then check os.path.commonpath([folder, path]) == folder.",
     "os.path.commonpath([folder, path]) == folder，两者都先用 realpath。"),
]
NOTICE = ("Many names lead to the same place, but this place has one real path. Resolve the name first, then compare whole path components, never just the first letters.",
           "名字千变万化，位置只有一个：先解析路径，再按路径分量比较，不要比较开头的字母。")
REASONS = {
    "broken": "way out",
    "wrong_replace": "way out",
    "wrong_startswith": "way out",
    "wrong_two_dots": "good file",
    "wrong_join": "way out",
}


GOOD = {"a.txt": b"for all", "sub/b.txt": b"below", "draft..txt": b"two dots"}
SECRET = b"a secret"


def judge(subject):
    [read_file] = subject.load("read_file")
    parent = Path("parent").absolute()
    folder = parent / "files"
    for place, files in (folder, GOOD), (parent, {"secret.txt": SECRET, "files-old/secret.txt": SECRET}):
        for name, data in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
    for name in ("../secret.txt", "sub/../../secret.txt", "....//secret.txt", "..././secret.txt", "../files-old/secret.txt", str(parent / "secret.txt"),
                 "/" + str(parent / "secret.txt"), "./.././secret.txt"):
        got = content(subject, read_file, folder, name)
        if got == SECRET:
            raise Refused("way out", f"a client asks for {shown(name, parent)!r}, and gets the secret", f"客户端请求 {shown(name, parent)!r}，得到了秘密")
    for name, data in GOOD.items():
        if content(subject, read_file, folder, name) != data:
            raise Refused("good file", f"{name!r} is in the folder, but cannot be read", f"{name!r} 在目录里，却读不到")


def content(subject, read_file, folder, name):
    """Return what a client gets for a name; None if read_file() returns None or raises an exception."""
    def read():
        try:
            return read_file(str(folder), name)
        except (OSError, ValueError):
            return None
    return subject.call(read)


def shown(name, parent):
    return name.replace(str(parent), "/home/x")
