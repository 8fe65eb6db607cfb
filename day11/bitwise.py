"""Bitwise operators on the bits themselves, and what poll needs them for: several flags in one number.
扩展: 位运算

Run:    python day11/bitwise.py

Output:
    14        001110
    19        010011
    14 & 19   000010   2   1 where both have a 1
    14 | 19   011111  31   1 where one of them has a 1
    14 ^ 19   011101  29   1 where they differ
    14 << 2   111000  56   all bits two places to the left: times 4
    14 >> 2   000011   3   all bits two places to the right: divided by 4, the rest is lost

    POLLIN    000001   1
    POLLPRI   000010   2
    POLLOUT   000100   4
    POLLERR   001000   8
    POLLHUP   010000  16
    POLLNVAL  100000  32

    interest = POLLIN | POLLERR   001001   9   put together
    interest |= POLLOUT           001101  13   one more: there is something to send
    interest &= ~POLLOUT          001001   9   one less: all is sent

    a socket has data to read, and its peer has closed: poll says
    event                         010001  17   two flags at once
    event == POLLIN                    False   a trap
    event & POLLIN                000001   1   not 0, so it is set: this is how to ask
    event & POLLOUT               000000   0   it is not
"""
import select
import socket
from select import POLLERR, POLLIN, POLLOUT


def main():
    operators()
    print()
    flags()
    print()
    ask()


def operators():
    a, b = 14, 19
    print(f"14        {a:06b}")
    print(f"19        {b:06b}")
    print(f"14 & 19   {a & b:06b}  {a & b:2}   1 where both have a 1")
    print(f"14 | 19   {a | b:06b}  {a | b:2}   1 where one of them has a 1")
    print(f"14 ^ 19   {a ^ b:06b}  {a ^ b:2}   1 where they differ")
    print(f"14 << 2   {a << 2:06b}  {a << 2:2}   all bits two places to the left: times 4")
    print(f"14 >> 2   {a >> 2:06b}  {a >> 2:2}   all bits two places to the right: divided by 4, the rest is lost")
    assert [a & b, a | b, a ^ b, a << 2, a >> 2] == [2, 31, 29, 56, 3]


def flags():
    # Each is a power of two, so it has a bit of its own, and what is put together can be told apart again.
    for name in ("POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL"):
        flag = getattr(select, name)
        print(f"{name:8}  {flag:06b}  {flag:2}")
        assert flag.bit_count() == 1
    print()
    interest = POLLIN | POLLERR
    print(f"interest = POLLIN | POLLERR   {interest:06b}  {interest:2}   put together")
    interest |= POLLOUT
    print(f"interest |= POLLOUT           {interest:06b}  {interest:2}   one more: there is something to send")
    assert interest & POLLOUT
    interest &= ~POLLOUT                           # ~POLLOUT has every bit but this one; subtraction goes wrong if it is not set
    print(f"interest &= ~POLLOUT          {interest:06b}  {interest:2}   one less: all is sent")
    assert interest == POLLIN | POLLERR


def ask():
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(b"the last words")
        poll = select.poll()
        poll.register(ours, POLLIN)
        [(fileno, event)] = poll.poll(10_000)      # milliseconds, not seconds
    print("a socket has data to read, and its peer has closed: poll says")
    print(f"event                         {event:06b}  {event:2}   two flags at once")
    print(f"event == POLLIN               {str(event == POLLIN):>10}   a trap")
    print(f"event & POLLIN                {event & POLLIN:06b}  {event & POLLIN:2}   not 0, so it is set: this is how to ask")
    print(f"event & POLLOUT               {event & POLLOUT:06b}  {event & POLLOUT:2}   it is not")
    assert event != POLLIN and event & POLLIN and event & select.POLLHUP


if __name__ == "__main__":
    main()
