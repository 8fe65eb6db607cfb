"""sys.exit raises SystemExit, so the process cleans up first; os._exit ends it immediately.
sys.exit 抛出 SystemExit，进程先做完清理工作；os._exit 立即结束进程。
讲义: 进程相关函数

Run:    python day07/exit.py

Output:
    a program calls         status   stdout      stderr
    sys.exit(3)             3        buffered    finally, atexit
    sys.exit('disk full')   1        buffered    finally, disk full, atexit
    os._exit(3)             3        -           -
    os._exit(256)           0        -           -
"""
import subprocess
import sys

# show() replaces CALL with a call to sys.exit or os._exit, and runs this program. The program's
# stdout is a pipe, so text for stdout waits in a buffer. Text for stderr is written immediately.
# 它的 stdout 是管道，文字先留在缓冲区；stderr 立即写出。
PROGRAM = """
import atexit, os, sys

atexit.register(print, "atexit", file=sys.stderr)
try:
    print("buffered")
    CALL
finally:
    print("finally", file=sys.stderr)
"""


def main():
    if sys.platform == "win32":
        print("this needs exit statuses of 8 bits: use Linux, macOS or WSL"
              " · 需要 8 位的退出状态，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    print("a program calls         status   stdout      stderr")
    show("sys.exit(3)", (3, "buffered", "finally, atexit"))
    # If the argument is a string, it is printed to stderr, and the status is 1.
    # 参数是字符串时，写到 stderr，状态为 1。
    show("sys.exit('disk full')", (1, "buffered", "finally, disk full, atexit"))
    show("os._exit(3)", (3, "-", "-"))
    # An exit status has 8 bits, so 256 becomes 0. 状态只有 8 位，所以 256 变成 0。
    show("os._exit(256)", (0, "-", "-"))


def show(call, expected):
    """Run PROGRAM with this call in it; print and check the exit status, stdout and stderr."""
    # -E: ignore environment variables such as PYTHONUNBUFFERED, which would change the buffering.
    program = subprocess.run([sys.executable, "-E", "-c", PROGRAM.replace("CALL", call)],
                             capture_output=True, text=True, timeout=10)
    stdout = ", ".join(program.stdout.splitlines()) or "-"
    stderr = ", ".join(program.stderr.splitlines()) or "-"
    print(f"{call:22}  {program.returncode:<7}  {stdout:10}  {stderr}")
    got = (program.returncode, stdout, stderr)
    assert got == expected, f"{call}: expected {expected}, got {got}"


if __name__ == "__main__":
    main()
