"""The control connection: ftplib.FTP with a time limit, names of any bytes, and link-local IPv6.
控制连接：在标准库 ftplib.FTP 之上，加上超时、任意字节的文件名和链路本地 IPv6 地址
"""
import ftplib

# Seconds of silence after which the client gives up.
TIMEOUT = 30


class Connection(ftplib.FTP):
    """A session with a server. Call connect() and login() to begin it."""

    def __init__(self):
        # Latin-1 has a character for each byte, so it can decode any name or reply: see to_wire.
        super().__init__(timeout=TIMEOUT, encoding="latin-1")

    def makepasv(self):
        """Return the host and port of the data connection. The host is always the server itself.

        The address in the reply to PASV is ignored (by ftplib too), because a server could make us
        connect to another host (FTP bounce). ftplib leaves out the scope that a link-local address
        such as fe80::1 needs: fe80::1%2.
        """
        _, port = super().makepasv()
        host, _, *scope = self.sock.getpeername()
        if scope and scope[1]:
            host = f"{host}%{scope[1]}"
        return host, port
