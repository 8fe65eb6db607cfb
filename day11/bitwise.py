"""Bitwise operators work on each bit separately, so one number can hold several yes-or-no flags.
位运算对每一位单独进行，所以一个整数可以存放多个“是”或“否”的标志。
讲义: 扩展: 位运算

Run:    python day11/bitwise.py

Output:
    14        001110
    19        010011
    14 & 19   000010   2   1 where both bits are 1
    14 | 19   011111  31   1 where at least one bit is 1
    14 ^ 19   011101  29   1 where the bits differ
    14 << 2   111000  56   2 places to the left: 14 * 4
    14 >> 2   000011   3   2 places to the right: 14 // 4

    POLLIN    000001   1
    POLLPRI   000010   2
    POLLOUT   000100   4
    POLLERR   001000   8
    POLLHUP   010000  16
    POLLNVAL  100000  32

    interest = POLLIN | POLLERR   001001   9   POLLIN, POLLERR
    interest |= POLLOUT           001101  13   POLLIN, POLLOUT, POLLERR
    interest &= ~POLLOUT          001001   9   POLLIN, POLLERR

    the other end sent data and closed the connection: poll returns
    event                         010001  17   POLLIN, POLLHUP
    event == POLLIN                    False   compares all bits; 2 flags are set
    event & POLLIN                000001   1   not 0: POLLIN is set
    event & POLLOUT               000000   0   0: POLLOUT is not set
"""
import select
import socket
import sys

FLAGS = ("POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL")


def main():
    if sys.version_info < (3, 10):
        print("this needs Python 3.10 or newer · 需要 Python 3.10 或更新的版本", file=sys.stderr)
        sys.exit(2)
    if not hasattr(select, "poll"):
        print("this needs select.poll: use Linux, macOS or WSL"
              " · 需要 select.poll，请用 Linux、macOS 或 WSL", file=sys.stderr)
        sys.exit(2)
    operators(14, 19, 2)
    print()
    flags()
    print()
    combine()
    print()
    ask_poll()


def operators(a, b, n):
    print(f"{a:<8}  {a:06b}")
    print(f"{b:<8}  {b:06b}")
    print(f"{a} & {b}   {a & b:06b}  {a & b:2}   1 where both bits are 1")
    print(f"{a} | {b}   {a | b:06b}  {a | b:2}   1 where at least one bit is 1")
    print(f"{a} ^ {b}   {a ^ b:06b}  {a ^ b:2}   1 where the bits differ")
    print(f"{a} << {n}   {a << n:06b}  {a << n:2}   {n} places to the left: {a} * {2 ** n}")
    print(f"{a} >> {n}   {a >> n:06b}  {a >> n:2}   {n} places to the right: {a} // {2 ** n}")
    assert a << n == a * 2 ** n, f"expected << {n} to multiply by {2 ** n}: {a << n}"
    assert a >> n == a // 2 ** n, f"expected >> {n} to divide by {2 ** n}: {a >> n}"


def flags():
    # Each flag is a power of two, so it has its own bit. 每个标志是 2 的幂，占一个二进制位
    for name in FLAGS:
        flag = getattr(select, name)
        print(f"{name:8}  {flag:06b}  {flag:2}")
        assert flag.bit_count() == 1, f"expected one bit in {name}: {flag:b}"


def combine():
    # Combine flags with |, and test each of them with &. 用 | 组合标志，用 & 逐个检查
    scope = {name: getattr(select, name) for name in FLAGS}
    for line in (
            "interest = POLLIN | POLLERR",
            "interest |= POLLOUT",
            # In ~POLLOUT, every bit is set except POLLOUT's bit. (Do not subtract POLLOUT instead:
            # if the flag is not set, the result is wrong.)
            "interest &= ~POLLOUT",
    ):
        # Execute the same text that is printed below, so that code and output cannot differ.
        exec(line, scope)
        interest = scope["interest"]
        print(f"{line:28}  {interest:06b}  {interest:2}   {names(interest)}")
    assert names(interest) == "POLLIN, POLLERR", f"expected POLLIN, POLLERR: {names(interest)}"


def names(event):
    """Return the names of the flags that are set in a number."""
    return ", ".join(name for name in FLAGS if event & getattr(select, name))


def ask_poll():
    # A pair of Unix sockets. With TCP, POLLHUP comes only when both directions are closed.
    # 一对 Unix 套接字；TCP 要两个方向都关闭，才有 POLLHUP
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(b"goodbye")
        poll = select.poll()
        poll.register(ours, select.POLLIN)
        # The timeout of poll is in milliseconds, not in seconds.
        [(fileno, event)] = poll.poll(10_000)
    print("the other end sent data and closed the connection: poll returns")
    print(f"event                         {event:06b}  {event:2}   {names(event)}")
    is_alone, count = event == select.POLLIN, event.bit_count()
    remark = f"compares all bits; {count} flags are set"
    print(f"event == POLLIN               {str(is_alone):>10}   {remark}")
    for name in "POLLIN", "POLLOUT":
        result = event & getattr(select, name)
        answer = f"not 0: {name} is set" if result else f"0: {name} is not set"
        print(f"{f'event & {name}':28}  {result:06b}  {result:2}   {answer}")
    assert names(event) == "POLLIN, POLLHUP", f"expected POLLIN and POLLHUP: {names(event)}"
    assert event & select.POLLIN and not is_alone, "expected & to find POLLIN, and == to be False"


if __name__ == "__main__":
    main()
