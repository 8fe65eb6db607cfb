"""Echo with asyncio: `await` marks each place at which another client may get its turn.
asyncio 服务器：标准库的协程；凡是可能轮到其他客户端的地方都写着 await。
讲义: 协程技术 · 扩展延伸@标准库协程的实现

Run:    python day12/asyncio_server.py [port] [-b ADDRESS] [-v] [--quiet]
        python day10/echo_client.py [port]      in two more terminals
"""
import argparse
import asyncio
import contextlib
import errno
import os
import socket

SIZE = 1 << 16                      # maximum number of bytes per read
RETRY = 0.1                         # seconds until the next attempt to accept
watched = False                     # whether say() prints its lines


def main():
    with contextlib.suppress(KeyboardInterrupt):
        # The event loop waits for all sockets (on Linux with epoll), and resumes the task whose
        # socket is ready. 事件循环：等待所有套接字（Linux 上用 epoll），继续执行就绪的任务
        asyncio.run(start())


async def start():
    with listen(argparse.ArgumentParser(description="Echo with asyncio.")) as listener:
        await serve(listener)


async def serve(listener):
    listener.setblocking(False)
    # The loop keeps only weak references to its tasks: without this set, the garbage collector
    # could delete a task that is still waiting.
    # 事件循环不保住任务（只有弱引用）：不放进集合，正在等待的任务可能被垃圾回收
    tasks = set()
    while True:
        try:
            conn, addr = await asyncio.get_running_loop().sock_accept(listener)
        except OSError:
            # out of file descriptors (EMFILE): stop accepting for a moment
            await asyncio.sleep(RETRY)
            continue
        # create_task does not run echo() yet: echo() begins when serve() has to wait. The first
        # client gets Task-2, because Task-1 runs start().
        # serve 要等待时 echo 才开始；Task-1 执行的是 start
        task = asyncio.create_task(echo(conn, addr))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def echo(conn, addr):
    """Send back what the client sends, until EOF (b"") or a reset of the connection (OSError)."""
    task = asyncio.current_task().get_name()
    say(addr, f"-> {task} of the one loop")
    reader, writer = await asyncio.open_connection(sock=conn)
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(SIZE):
                # write stores the bytes that do not fit into the send buffer, and drain waits
                # while too many bytes are stored. So we do not read from a client that does not
                # read its echo (backpressure). 写不完的先存着；存得太多就等，不再读（背压）
                writer.write(data)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    except BaseException:
        # Ctrl-C cancels the task: close the connection without sending the rest. 立即关闭
        writer.transport.abort()
        raise
    say(addr, f"left, {task} ends")


# The rest of the file is the same in every echo server, and is not about concurrency.
# 以下部分在每个回声服务器里都一样，与并发无关。

def say(addr, text):
    """Print a line about the client at this address, if the clients are to be shown."""
    if watched:
        # os.write has no buffer: one call writes the whole line, so the lines of two threads cannot
        # mix, as they can with print. It fails if the terminal is closed; the server then goes on.
        # 与 print 不同，os.write 没有缓冲，两个线程的输出不会混在一行；终端已关闭时继续服务
        with contextlib.suppress(OSError):
            os.write(1, f"{host_port(addr)} {text}\n".encode())


def host_port(addr):
    """Return an address as text: 127.0.0.1:8888 or [::1]:8888."""
    host, port = addr[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listen(parser):
    """Read the command line and return a listening socket; if that fails, exit with status 2."""
    global watched
    parser.add_argument("port", nargs="?", type=int, default=8888, help="0 means any free port")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1")
    parser.add_argument("-v", "--verbose", action="store_true", help="always show the clients")
    parser.add_argument("--quiet", action="store_true", help="never show the clients")
    args = parser.parse_args()
    # By default the clients are shown on a terminal only. 默认只在终端上显示客户端
    watched = not args.quiet and (args.verbose or os.isatty(1))
    family = socket.AF_INET6 if ":" in args.bind else socket.AF_INET
    try:
        # create_server sets SO_REUSEADDR: the server can be restarted while connections of its
        # last run are still in TIME_WAIT. 上次运行的连接还处于 TIME_WAIT 时，也能重新启动
        listener = socket.create_server((args.bind, args.port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        hints = {
            errno.EADDRINUSE: f"try port {args.port + 1} · 端口已被占用，请换一个",
            errno.EACCES: "ports below 1024 need root, try 8888 · 1024 以下的端口需要 root",
            errno.EADDRNOTAVAIL: "try -b 127.0.0.1 · 本机没有这个地址，请用 -b 127.0.0.1",
        }
        code = getattr(error, "errno", None)
        reason = f"{os.strerror(code)}: {hints[code]}" if code in hints else error
        parser.exit(2, f"{parser.prog}: {host_port((args.bind, args.port))}: {reason}\n")
    # Accepted sockets inherit these two options. TCP_NODELAY: send small packets without delay.
    # SO_OOBINLINE: keep urgent data in its place in the stream.
    # 接受的连接继承这两个选项：小包立即发送；紧急数据留在数据流中原来的位置
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    print(f"listening on {host_port(listener.getsockname())}", flush=True)
    return listener


if __name__ == "__main__":
    main()
