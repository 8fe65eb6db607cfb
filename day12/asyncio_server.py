"""Echo with the standard library's coroutines: every place where another client may get its turn says await.
协程技术 · 扩展延伸@标准库协程的实现

Run:    python day12/asyncio_server.py [port] [-b ADDRESS]
        python day10/echo_client.py [port]         in another terminal, as often as you like
"""
import argparse
import asyncio
import contextlib
import socket

SIZE = 1 << 16                                     # bytes to receive at once
RETRY = 0.1                                        # seconds


def main():
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(start())


async def start():
    with listen("Echo with asyncio.") as listener:
        await serve(listener)


async def serve(listener):
    listener.setblocking(False)
    tasks = set()                                  # the loop itself does not keep them
    while True:
        try:
            conn, addr = await asyncio.get_running_loop().sock_accept(listener)
        except OSError:                            # no descriptor is free (EMFILE): whoever comes waits a little longer
            await asyncio.sleep(RETRY)
            continue
        task = asyncio.create_task(echo(conn))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


async def echo(conn):
    """Send back what a client sends, until it has said all or is gone."""
    reader, writer = await asyncio.open_connection(sock=conn)
    try:
        while data := await reader.read(SIZE):     # nothing: the client has shut down its side
            writer.write(data)                     # what the socket does not take goes into a buffer
            await writer.drain()                   # wait while it is full: read no more from a client that does not take it
    except OSError:                                # reset: that client is gone, and with it this coroutine
        pass
    except asyncio.CancelledError:                 # Ctrl-C: this is the end, for what is still unsent too
        writer.transport.abort()
    finally:
        writer.close()


def listen(description):
    """Return the listening socket that the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("port", nargs="?", type=int, default=8888, help="0 for a free one (default: 8888)")
    parser.add_argument("-b", "--bind", metavar="ADDRESS", default="127.0.0.1", help="address to bind (default: 127.0.0.1)")
    args = parser.parse_args()
    family = socket.AF_INET6 if ":" in args.bind else socket.AF_INET
    try:
        listener = socket.create_server((args.bind, args.port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:            # in use; no such port; no such address
        parser.exit(2, f"{parser.prog}: {error}\n")
    # Linux hands both on to the sockets of the clients: to send at once, and to keep urgent bytes where they were sent.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    host, port = listener.getsockname()[:2]
    print(f"listening on {f'[{host}]' if ':' in host else host}:{port}", flush=True)
    return listener


if __name__ == "__main__":
    main()
