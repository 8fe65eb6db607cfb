"""Blocking IO waits and uses no CPU, non-blocking IO fails at once, a timeout is in between; accepted sockets inherit none of it.
阻塞IO · 非阻塞IO

Run:    python day11/block_io.py

Output:
    accept: waits in state S (sleeping), 0.00 s of CPU in 0.2 s; a client connects, and it returns
    recv  : waits in state S (sleeping), 0.00 s of CPU in 0.2 s; the client sends, and it returns b'hello'

    the listener after   getblocking()  gettimeout()  O_NONBLOCK  accept, while no client comes
    create_server()      True           None          False       waits, as above
    setblocking(False)   False          0.0           True        BlockingIOError (EAGAIN), it does not wait
    settimeout(0)        False          0.0           True        BlockingIOError (EAGAIN), it does not wait
    settimeout(0.1)      True           0.1           True        TimeoutError, after <ms> ms
    settimeout(None)     True           None          False       waits, as above

    the listener         True           10.0          True
    the accepted socket  True           None          False       so set it anew if you want it
"""
import errno
import os
import signal
import socket
import time

PATIENCE = 10                                      # seconds until a process ends that waits for one which has died
WAITS, DOES_NOT_WAIT = (True, None, False), (False, 0.0, True)     # settings()


def main():
    signal.alarm(3 * PATIENCE)                     # if the child dies, we may wait for it for ever
    with socket.create_server(("127.0.0.1", 0)) as listener:
        block(listener)
        print()
        do_not_block(listener)
        print()
        inherit(listener)


def block(listener):
    """Watch a child that waits. It has one thread, so while it sleeps it is in the call that we name."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(PATIENCE)
        conn, addr = listener.accept()
        conn.sendall(b"welcome")
        os._exit(0 if conn.recv(100) == b"hello" else 1)

    watch("accept", pid)
    with socket.create_connection(listener.getsockname(), timeout=PATIENCE) as client:
        assert client.recv(100) == b"welcome"      # it has returned from accept, and will wait in recv next
        print("a client connects, and it returns")
        watch("recv  ", pid)
        client.sendall(b"hello")
        assert os.waitpid(pid, 0) == (pid, 0)
        print("the client sends, and it returns b'hello'")


def watch(call, pid):
    deadline = time.monotonic() + PATIENCE
    while state_and_cpu(pid)[0] != "S":            # it is on its way into the call
        assert time.monotonic() < deadline
        os.sched_yield()
    before = state_and_cpu(pid)
    time.sleep(0.2)
    after = state_and_cpu(pid)
    print(f"{call}: waits in state S (sleeping), {after[1] - before[1]:.2f} s of CPU in 0.2 s; ", end="")
    assert before == after and after[0] == "S"


def state_and_cpu(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()        # the name in front may contain anything
    return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def do_not_block(listener):
    print("the listener after   getblocking()  gettimeout()  O_NONBLOCK  accept, while no client comes")
    show("create_server()", listener, "waits, as above")
    assert settings(listener) == WAITS
    listener.setblocking(False)
    show("setblocking(False)", listener, f"{error_of(listener.accept)}, it does not wait")
    assert settings(listener) == DOES_NOT_WAIT
    listener.settimeout(0)
    show("settimeout(0)", listener, f"{error_of(listener.accept)}, it does not wait")
    assert settings(listener) == DOES_NOT_WAIT

    # For the kernel a descriptor is non-blocking or it is not. With a timeout Python makes it so, and waits with poll before
    # each call (day 12).
    listener.settimeout(0.1)
    started = time.monotonic()
    error = error_of(listener.accept)
    waited = time.monotonic() - started
    show("settimeout(0.1)", listener, f"{error}, after {1000 * waited:.0f} ms")
    assert settings(listener) == (True, 0.1, True) and error == "TimeoutError" and waited >= 0.1
    listener.settimeout(None)
    show("settimeout(None)", listener, "waits, as above")
    assert settings(listener) == WAITS


def error_of(call):
    try:
        call()
    except BlockingIOError as error:
        return f"{type(error).__name__} ({errno.errorcode[error.errno]})"
    except TimeoutError as error:
        return type(error).__name__
    raise AssertionError("it returned, as if there were a client")


def inherit(listener):
    listener.settimeout(PATIENCE)
    with socket.create_connection(listener.getsockname()):
        conn, addr = listener.accept()
    with conn:
        show("the listener", listener, "")
        show("the accepted socket", conn, "so set it anew if you want it")
        assert settings(conn) == WAITS


def settings(sock):
    """getblocking, gettimeout, and the flag that the kernel keeps."""
    return sock.getblocking(), sock.gettimeout(), not os.get_blocking(sock.fileno())


def show(what, sock, remark):
    blocking, timeout, nonblock = settings(sock)
    print(f"{what:19}  {str(blocking):13}  {str(timeout):12}  {str(nonblock):10}  {remark}".rstrip())


if __name__ == "__main__":
    main()
