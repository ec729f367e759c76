"""DNS over TLS (RFC 7858): the certificate, and a TLS socket with the manners of a plain one."""

from __future__ import annotations

import os
import ssl


def context(certificate: str, key: str) -> ssl.SSLContext:
    """Make the server's context from PEM texts; the key never touches a disk."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8310 section 9
    made.set_alpn_protocols(["dot"])  # RFC 7858 section 3.1, registered by RFC 9250's table
    fd = os.memfd_create("podway-dns-tls")
    try:
        os.write(fd, f"{certificate}\n{key}\n".encode())
        made.load_cert_chain(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)
    return made


class TlsStream:
    """A TLS connection that says BlockingIOError where it must wait, like a socket."""

    __slots__ = ("_sock",)

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self._sock = sock

    def recv(self, size: int) -> bytes:
        """Read; empty at the end of the stream, a close without notice included."""
        try:
            return self._sock.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
        except ssl.SSLEOFError:
            return b""

    def send(self, data: bytes) -> int:
        """Write; gives how much was taken."""
        try:
            return self._sock.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None
