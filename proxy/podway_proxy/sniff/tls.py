"""Read the server name and the application protocols from a TLS ClientHello, without consuming it.

RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3 (server name), RFC 7301 section 3.1 (ALPN).
A hello may lie in one record or be spread over many, and may arrive in any pieces. What is read
here decides which tenant's pod gets the connection, so a name that two readers could understand
in two ways is rejected, never repaired.
"""

from __future__ import annotations

import re
from functools import lru_cache
from struct import Struct
from struct import error as StructError  # noqa: N812 - an exception is named like one
from typing import Final, NamedTuple

from podway_proxy.verdict import Found, NeedMore, Reject, Verdict

HELLO_BYTES: Final = 16_384
"""The default limit: as much as one full TLS record (RFC 8446 section 5.1)."""

UNEXPECTED_MESSAGE: Final = 10
RECORD_OVERFLOW: Final = 22
HANDSHAKE_FAILURE: Final = 40
ILLEGAL_PARAMETER: Final = 47
DECODE_ERROR: Final = 50
PROTOCOL_VERSION: Final = 70
INTERNAL_ERROR: Final = 80
UNRECOGNIZED_NAME: Final = 112
"""Alert descriptions, RFC 8446 section 6 and RFC 6066 section 3."""


class Hello(NamedTuple):
    """What a ClientHello says about whom it wants to talk to."""

    sni: str | None
    """Lower case, without the trailing dot, a well-formed host name; None when the client sent no
    name, or an IP address (which RFC 6066 forbids and some clients send all the same)."""
    alpn: tuple[bytes, ...]
    """The application protocols offered, in the client's order; empty when it offered none."""


def alert(description: int) -> bytes:
    """Build a fatal alert in one record, as a server sends it in answer to a ClientHello."""
    return bytes((21, 3, 3, 0, 2, 2, description))


_PLAIN_TEXT = Reject("plain text, such as an HTTP request, on a TLS port")
_SSL2 = Reject("an SSLv2 hello, a protocol that RFC 6176 forbids")
_NOT_TLS = Reject("the first bytes are no TLS handshake")
_NO_HELLO = Reject("the TLS handshake does not begin with a ClientHello")
_BAD_RECORD = Reject("the ClientHello is broken off, or in a record of 0 or over 16384 bytes")
_TOO_LONG = Reject("the ClientHello is longer than the limit")
_MALFORMED = Reject("the ClientHello's lengths contradict each other")
_BAD_ALPN = Reject("the ClientHello's ALPN list is malformed or there twice")
_TWO_NAMES = Reject("the ClientHello carries more than one server name")
_BAD_SNI = Reject("the ClientHello's server name list is malformed or empty")
_BAD_NAME = Reject("the ClientHello's server name is no host name")

_PAGE: Final = b"This is a TLS port and got a plain HTTP request: use https.\n"
_HTTP_ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n"
    b"cache-control: no-store\r\nconnection: close\r\n\r\n%b" % (len(_PAGE), _PAGE)
)
_ANSWERS: Final = {
    _PLAIN_TEXT: _HTTP_ANSWER,
    _SSL2: alert(PROTOCOL_VERSION),
    _NO_HELLO: alert(UNEXPECTED_MESSAGE),
    _BAD_RECORD: alert(DECODE_ERROR),
    _TOO_LONG: alert(ILLEGAL_PARAMETER),
    _MALFORMED: alert(DECODE_ERROR),
    _BAD_ALPN: alert(DECODE_ERROR),
    _TWO_NAMES: alert(ILLEGAL_PARAMETER),
    _BAD_SNI: alert(DECODE_ERROR),
    _BAD_NAME: alert(UNRECOGNIZED_NAME),
}


def answer(reject: Reject) -> bytes:
    """Give what the peer is told about a hello that `sniff_hello` rejected, in its own protocol.

    A TLS alert for TLS, a page for plain HTTP, nothing for what is neither.
    """
    return _ANSWERS.get(reject, b"")


_HEADER: Final = 5  # a record's type, version and length (RFC 8446 section 5.1)
_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_TELLING: Final = 9  # the first record's header and the handshake's: after it the size is known
_MAX_RECORD: Final = 16_384
_LONGEST_NAME: Final = 253  # RFC 1035 section 2.3.4, in text and without the trailing dot
_MOST_KEPT: Final = 512  # bytes of a cached verdict's key: a flood of names costs 1 MiB at most
_SERVER_NAME: Final = 0
_ALPN: Final = 16

_U16 = Struct(">H").unpack_from
_EXTENSION = Struct(">HH").unpack_from  # type, length
_NAME_ENTRY = Struct(">HBH").unpack_from  # list length, name type, name length (RFC 6066)


def sniff_hello(data: bytes, limit: int = HELLO_BYTES) -> Verdict[Hello]:
    """Look for a complete ClientHello at the start of `data`.

    `limit` bounds the bytes on the wire, record headers included, so that a caller never has to
    peek at more. `Found.consumed` is 0: the hello is only looked at. `NeedMore.at_least` is what
    is missing if the client uses no more records than it must, so it may become SO_RCVLOWAT; it
    first asks for the handshake's header only, since what is no TLS tells itself apart by then.
    """
    size = len(data)
    if size >= _TELLING and data[0] == _HANDSHAKE and data[1] == 3 and data[5] == _CLIENT_HELLO:
        record = (data[3] << 8) + data[4]
        end = _TELLING + (data[6] << 16) + (data[7] << 8) + data[8]
        # The usual case: the whole hello lies in the first record, and has come.
        if end <= size and end <= _HEADER + record and end <= limit and record <= _MAX_RECORD:
            return _read(data[_TELLING:end])
    return _first_bytes(data) or _gather(data[:limit], limit)


def _first_bytes(data: bytes) -> Verdict[Hello] | None:
    """Reject at the first byte that tells: these are the same in every hello."""
    if not data:
        return NeedMore()
    if data[0] != _HANDSHAKE:
        return _not_tls(data[0])
    if len(data) > 1 and data[1] != 3:
        return _NOT_TLS
    if len(data) > _HEADER and data[_HEADER] != _CLIENT_HELLO:
        return _NO_HELLO
    return None


def _not_tls(first: int) -> Reject:
    """Name what came instead of TLS, by its first byte."""
    if first & 0x80:
        return _SSL2
    return _PLAIN_TEXT if 65 <= first <= 90 else _NOT_TLS  # a method is upper-case letters


def _gather(data: bytes, limit: int) -> Verdict[Hello]:
    """Put the hello together from its records, or say how much of it is missing."""
    message = b""
    need, at, size = 4, 0, len(data)  # at first only the handshake's own header
    while at + _HEADER <= size:
        record = (data[at + 3] << 8) + data[at + 4]
        if data[at] != _HANDSHAKE or data[at + 1] != 3 or not 0 < record <= _MAX_RECORD:
            return _BAD_RECORD
        at += _HEADER
        message += data[at : at + record]
        at += record
        if need == 4 and len(message) >= 4:
            need += int.from_bytes(message[1:4], "big")
        if len(message) >= need:
            return _read(message[4:need])
    # What does not fit the record that is still coming has one more header, or more of them.
    missing = need - len(message)
    wanted = missing if missing <= at - size else missing + min(_HEADER, at + _HEADER - size)
    return NeedMore(wanted) if size + wanted <= limit else _TOO_LONG


def _read(body: bytes) -> Verdict[Hello]:
    """Read a ClientHello's body (RFC 8446 section 4.1.2) up to and with its extensions."""
    try:
        at = 35 + body[34]  # version, random, the session id and its length
        at += 2 + _U16(body, at)[0]  # cipher suites
        at += 1 + body[at]  # compression methods
        if body[0] != 3 or body[34] > 32:
            return _MALFORMED
        if at == len(body):
            return Found(Hello(None, ()), 0)  # before extensions were invented
        if at + 2 + _U16(body, at)[0] != len(body):
            return _MALFORMED
        return _extensions(body, at + 2)
    except (IndexError, StructError):
        return _MALFORMED


def _extensions(body: bytes, at: int) -> Verdict[Hello]:
    """Walk all extensions, though only two are read: a second name may hide behind the first."""
    size = len(body)
    names = lists = b""
    while at < size:
        kind, length = _EXTENSION(body, at)
        end = at + 4 + length
        if kind == _SERVER_NAME:
            if names:
                return _TWO_NAMES
            names = body[at:end]
        elif kind == _ALPN:
            if lists:
                return _BAD_ALPN
            lists = body[at:end]
        at = end
    if at != size:
        return _MALFORMED
    judge = _judge if len(names) + len(lists) <= _MOST_KEPT else _judge.__wrapped__
    return judge(names, lists)


@lru_cache(maxsize=1024)
def _judge(names: bytes, lists: bytes) -> Verdict[Hello]:
    """Read the two extensions, each with its header, empty where there is none.

    Cached, since a port sees few different ones: 2 us of 6.
    """
    sni = _server_name(names[4:]) if names else None
    if isinstance(sni, Reject):
        return sni
    alpn = _protocols(lists[4:]) if lists else ()
    if lists and not alpn:
        return _BAD_ALPN
    return Found(Hello(sni, alpn), 0)


def _server_name(extension: bytes) -> str | Reject | None:
    """Read a server name list: exactly one entry, and that a host name (RFC 6066 section 3)."""
    if len(extension) < 6:
        return _BAD_SNI
    total, kind, length = _NAME_ENTRY(extension)
    if total + 2 != len(extension) or kind != 0 or length + 3 > total:
        return _BAD_SNI
    if length + 3 < total:
        return _TWO_NAMES
    return _host_name(extension[5:])


_LABELS = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}").fullmatch
_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){3}|[0-9a-f.]*:[0-9a-f:.]*").fullmatch


def _host_name(name: bytes) -> str | Reject | None:
    """Apply the rule for hosts: case and one trailing dot do not count; an address is no name."""
    host = name.lower().decode("latin-1").removesuffix(".")
    if len(host) > _LONGEST_NAME:
        return _BAD_NAME
    if _ADDRESS(host):
        return None
    return host if _LABELS(host) else _BAD_NAME


def _protocols(extension: bytes) -> tuple[bytes, ...]:
    """Read an ALPN list (RFC 7301 section 3.1); empty when it is malformed."""
    size = len(extension)
    if size < 4 or (extension[0] << 8) + extension[1] + 2 != size:
        return ()
    found = []
    at = 2
    while at < size:
        end = at + 1 + extension[at]
        if end == at + 1 or end > size:
            return ()
        found.append(extension[at + 1 : end])
        at = end
    return tuple(found)
