"""An accepted socket inherits the listener's options, but not its timeout.
accept 得到的套接字继承监听套接字的选项，不继承超时时间。
讲义之外

Run:    python day11/accepted_socket.py

Output:
                                  getblocking()  gettimeout()  TCP_NODELAY
    listener, setblocking(False)  False          0.0           True
    the socket that it accepted   True           None          True
    listener, settimeout(10)      True           10.0          True
    the socket that it accepted   True           None          True

    inherited: TCP_NODELAY
    not inherited: getblocking(), gettimeout()
"""
import select
import socket

NAMES = ("getblocking()", "gettimeout()", "TCP_NODELAY")


def main():
    show("", NAMES)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # An option of the socket: send small packets at once.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setblocking(False)
        first = compare("listener, setblocking(False)", listener)
        listener.settimeout(10)
        second = compare("listener, settimeout(10)", listener)

    inherited = [name for name in NAMES if name in first and name in second]
    others = [name for name in NAMES if name not in inherited]
    print("\ninherited:", ", ".join(inherited))
    print("not inherited:", ", ".join(others))
    assert inherited == ["TCP_NODELAY"], f"expected TCP_NODELAY alone: {inherited}"


def compare(name, listener):
    """Accept a client, show the settings of both sockets; return the names of the equal ones."""
    with socket.create_connection(listener.getsockname(), timeout=10):
        # Wait until the client has arrived, because a non-blocking accept does not.
        select.select([listener], [], [], 10)
        conn, addr = listener.accept()
        with conn:
            # If conn is to be non-blocking too, or to have a timeout, this is the place to set it.
            # 想让 conn 也非阻塞，或者有超时时间，要在这里重新设置
            its_own, accepted = settings(listener), settings(conn)
    show(name, its_own)
    show("the socket that it accepted", accepted)
    return [what for what, one, two in zip(NAMES, its_own, accepted) if one == two]


def settings(sock):
    nodelay = bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    return sock.getblocking(), sock.gettimeout(), nodelay


def show(name, values):
    first, second, third = map(str, values)
    print(f"{name:28}  {first:13}  {second:12}  {third}")


if __name__ == "__main__":
    main()
