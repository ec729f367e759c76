"""What pods are told about a client's certificate: the X-SSL fields of OpenShift's template. Pure.

Sent on https where the controller asks for certificates (`clientTLS`); without one they are there
and empty. A client's own are taken out of every request (`podway_proxy.http.hop`).
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from podway_proxy.http.fields import with_lines
from podway_proxy.tls.certificate import Certificate, read_certificate
from podway_router.header_values import printable

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_proxy.values import Arrival

_KEPT = 256
"""Certificates of which the lines are remembered."""
_PREFIX = b"X-SSL-Client-"
_CENTURY = b"20"


@lru_cache(_KEPT)
def lines(der: bytes) -> bytes:
    """Give the field lines for a certificate, or for none."""
    told = _told(der) if der else dict.fromkeys(_told_names, b"")
    every = {b"X-SSL": b"1", b"X-SSL-Client-Verify": b"0", **told}
    return b"".join(name + b": " + printable(value) + b"\r\n" for name, value in every.items())


def outgoing(request: Request, arrival: Arrival, head: bytes) -> bytes:
    """Put the lines into a request."""
    return with_lines(head, lines(arrival.tls.certificate if arrival.tls is not None else b""))


_told_names = (
    *(
        _PREFIX + name
        for name in (
            b"Serial",
            b"Version",
            b"SHA1",
            b"DN",
            b"CN",
            b"NotBefore",
            b"NotAfter",
            b"DER",
        )
    ),
    b"X-SSL-Issuer",
)


def _told(der: bytes) -> dict[bytes, bytes]:
    from hashlib import sha1  # only where clients show certificates

    try:
        read = read_certificate(der)
    except ValueError:
        read = Certificate(0, b"", (), b"", b"", ())
    values = (
        read.serial.hex().upper().encode(),
        b"%d" % read.version,
        sha1(der, usedforsecurity=False).hexdigest().upper().encode(),
        oneline(read.subject),
        next((value for name, value in read.subject if name == "CN"), b""),
        moment(read.not_before),
        moment(read.not_after),
        b2a_base64(der, newline=False),
        oneline(read.issuer),
    )
    return dict(zip(_told_names, values, strict=True))


def oneline(names: Iterable[tuple[str, bytes]]) -> bytes:
    """Spell a name as `/C=DE/O=Shop/CN=alice`."""
    return b"".join(b"/" + name.encode() + b"=" + value for name, value in names)


def moment(text: bytes) -> bytes:
    """Spell a time as UTCTime, `261122015000Z`; empty beyond this century, as HAProxy has it."""
    if len(text) == len(b"YYYYMMDDhhmmssZ"):
        return text[2:] if text.startswith(_CENTURY) else b""
    return text
