"""An accepted socket inherits the listener's TCP_NODELAY, but not its timeout.
accept 得到的套接字继承监听套接字的 TCP_NODELAY，不继承超时时间。
讲义之外

Run:    python day11/accepted_socket.py

Output:
                                  getblocking()  gettimeout()  TCP_NODELAY
    listener, setblocking(False)  False          0.0           True
    the accepted socket           True           None          True
    listener, settimeout(10)      True           10.0          True
    the accepted socket           True           None          True

    inherited: TCP_NODELAY
    not inherited: getblocking(), gettimeout()
"""
import select
import socket

NAMES = ("getblocking()", "gettimeout()", "TCP_NODELAY")


def main():
    print(f"{'':28}  {NAMES[0]}  {NAMES[1]}  {NAMES[2]}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # The kernel stores TCP_NODELAY (send small packets immediately); Python stores the timeout.
        # 这个选项由内核保存；超时时间由 Python 保存
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setblocking(False)
        equal_in_first = compare("listener, setblocking(False)", listener)
        listener.settimeout(10)
        equal_in_second = compare("listener, settimeout(10)", listener)

    inherited = [name for name in NAMES if name in equal_in_first and name in equal_in_second]
    others = [name for name in NAMES if name not in inherited]
    print("\ninherited:", ", ".join(inherited))
    print("not inherited:", ", ".join(others))
    assert inherited == ["TCP_NODELAY"], f"expected only TCP_NODELAY to be inherited: {inherited}"


def compare(name, listener):
    """Accept a client; show the settings of the listener and of the accepted socket.

    Returns the names of the settings that are equal.
    """
    with socket.create_connection(listener.getsockname(), timeout=10):
        # The listener may be non-blocking, so wait here until accept can succeed.
        select.select([listener], [], [], 10)
        conn, addr = listener.accept()
        with conn:
            # Here, a server can call conn.setblocking(False) or conn.settimeout(seconds).
            # 想让 conn 也非阻塞，或者有超时时间，要在这里调用这两个方法
            of_listener = settings(listener)
            of_conn = settings(conn)
    show(name, of_listener)
    show("the accepted socket", of_conn)
    return [name for name in NAMES if of_listener[name] == of_conn[name]]


def settings(sock):
    """Return the three settings of a socket: name -> value."""
    return {
        "getblocking()": sock.getblocking(),
        "gettimeout()": sock.gettimeout(),
        "TCP_NODELAY": bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)),
    }


def show(name, values):
    first, second, third = [str(values[name]) for name in NAMES]
    print(f"{name:28}  {first:13}  {second:12}  {third}")


if __name__ == "__main__":
    main()
