"""The control connection: the standard ftplib, with what it does not do by itself.
控制连接：标准库 ftplib，以及它自己没有做到的部分
"""
import ftplib

# Seconds of silence after which the client gives up the server.
TIMEOUT = 30


class Connection(ftplib.FTP):
    """A session with a server. Not connected yet."""

    def __init__(self):
        # In Latin-1 each byte is a character, so all names and replies can be decoded: see to_wire.
        super().__init__(timeout=TIMEOUT, encoding="latin-1")

    def makepasv(self):
        """Where the data connection goes: host, port.

        Always to the server itself. The reply to PASV contains an address, too: a server could name
        another host's and make us connect to it (FTP bounce). An address of a link, fe80::1, needs
        its scope: fe80::1%2.
        """
        _, port = super().makepasv()
        host, _, *scope = self.sock.getpeername()
        if scope and scope[1]:
            host = f"{host}%{scope[1]}"
        return host, port
