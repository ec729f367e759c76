"""ClientHellos byte by byte: well-formed ones, odd ones, and any split into records."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Sequence

GREASE = 0x0A0A  # RFC 8701
KEY_SHARE = 51
PADDING = 21


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def extension(kind: int, body: bytes) -> bytes:
    return u16(kind) + u16(len(body)) + body


def name_entry(name: bytes, kind: int = 0) -> bytes:
    return bytes((kind,)) + u16(len(name)) + name


def server_name(*names: bytes) -> bytes:
    entries = b"".join(name_entry(name) for name in names)
    return extension(0, u16(len(entries)) + entries)


def alpn(*protocols: bytes) -> bytes:
    entries = b"".join(bytes((len(each),)) + each for each in protocols)
    return extension(16, u16(len(entries)) + entries)


def message(
    *extensions: bytes,
    version: int = 0x0303,
    session: bytes = b"s" * 32,
    suites: Sequence[int] = (GREASE, 0x1301, 0xC02F),
    with_extensions: bool = True,
) -> bytes:
    """A ClientHello with its handshake header."""
    body = u16(version) + b"r" * 32 + bytes((len(session),)) + session
    body += u16(2 * len(suites)) + b"".join(map(u16, suites)) + b"\x01\x00"
    if with_extensions:
        joined = b"".join(extensions)
        body += u16(len(joined)) + joined
    return handshake(body)


def handshake(body: bytes, kind: int = 1) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


def records(data: bytes, cuts: Iterable[int] = (), version: int = 0x0301) -> bytes:
    """Put handshake bytes into records, a new one at each of `cuts`."""
    at, wire = 0, b""
    for end in [*sorted(cuts), len(data)]:
        if end > at:
            wire += b"\x16" + u16(version) + u16(end - at) + data[at:end]
            at = end
    return wire


def hello(name: bytes = b"web.apps.lab.example.test", *protocols: bytes) -> bytes:
    """An ordinary one in one record."""
    parts = [server_name(name)] + ([alpn(*protocols)] if protocols else [])
    return records(message(*parts))


def openssl_hello(name: str | None, protocols: Sequence[str] = ()) -> bytes:
    """What Python's own OpenSSL sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if protocols:
        context.set_alpn_protocols(list(protocols))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without a server came to an end")
