"""Clients may read every file inside the folder, but no file outside it.
客户端可以读取目录里的任何文件，但不能读取目录之外的文件。

Still wrong: ....//secret.txt becomes ../secret.txt.
"""
import os
import tempfile


def read_file(folder, name):
    """Return the content of a file in folder, or None if clients may not read it."""
    path = folder + "/" + name.replace("../", "")
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return file.read()


def main():
    with tempfile.TemporaryDirectory() as parent:
        folder = parent + "/files"
        os.mkdir(folder)
        for path, text in (folder + "/a.txt", "for all"), (parent + "/secret.txt", "a secret"):
            with open(path, "w") as file:
                file.write(text)
        print("a.txt:", read_file(folder, "a.txt"))
        print("../secret.txt:", read_file(folder, "../secret.txt"))


if __name__ == "__main__":
    main()
