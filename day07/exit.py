"""os._exit ends a process on the spot; sys.exit raises SystemExit, so the process tidies up first.
进程相关函数

Run:    python day07/exit.py

Output:
    the child calls         status  finally  atexit  buffered text  on stderr
    sys.exit(3)                  3  ran      ran     written        -
    sys.exit('disk full')        1  ran      ran     written        disk full
    os._exit(3)                  3  -        -       lost           -
    os._exit(256)                0  -        -       lost           -
"""
import atexit
import os
import sys
import tempfile


def main():
    print("the child calls         status  finally  atexit  buffered text  on stderr")
    show("sys.exit(3)", lambda: sys.exit(3), status=3, tidies=True)
    show("sys.exit('disk full')", lambda: sys.exit("disk full"), status=1, tidies=True, message="disk full")
    show("os._exit(3)", lambda: os._exit(3), status=3, tidies=False)
    show("os._exit(256)", lambda: os._exit(256), status=0, tidies=False)       # a status is one byte


def show(call, leave, status, tidies, message=""):
    """Print how a child ends that calls leave() and check it against what we expect."""
    code, stdout, stderr = end_a_child(leave)
    ran_finally, ran_atexit, flushed = ("finally" in stdout, "atexit" in stdout, "text" in stdout)
    print(f"{call:22}  {code:6}  {'ran' if ran_finally else '-':7}  {'ran' if ran_atexit else '-':6}  "
          f"{'written' if flushed else 'lost':13}  {stderr or '-'}")
    assert ran_finally == ran_atexit == flushed == tidies
    assert (code, stderr) == (status, message)


def end_a_child(leave):
    """Fork a child that ends through leave(); return its exit status, its stdout and its stderr."""
    sys.stdout.flush()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        pid = os.fork()
        if pid == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.stdout = open(1, "w", closefd=False)   # a buffer of its own: what is printed waits in memory
            atexit.register(os.write, 1, b"atexit\n")
            try:
                print("text")
                leave()
            finally:
                os.write(1, b"finally\n")          # past the buffer, straight to the kernel
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        err.seek(0)
        return os.waitstatus_to_exitcode(status), out.read(), err.read().strip()


if __name__ == "__main__":
    main()
