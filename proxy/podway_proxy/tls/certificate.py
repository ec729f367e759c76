"""What stands in an X.509 certificate, read from its DER (RFC 5280 section 4.1). Pure.

Only what OpenSSL has verified comes here; a certificate that can't be read gives ValueError all
the same, whatever its bytes are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

SHORT: Final = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.16": "postalAddress",
    "2.5.4.17": "postalCode",
    "2.5.4.20": "telephoneNumber",
    "2.5.4.41": "name",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.45": "x500UniqueIdentifier",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.3": "mail",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
    "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}
"""OpenSSL's short names (obj_mac.h); tests/proxy/test_tls_certificate.py asks OpenSSL itself."""
_SEQUENCE, _SET, _OID, _INTEGER, _VERSION = 0x30, 0x31, 0x06, 0x02, 0xA0


class Certificate(NamedTuple):
    """The fields that proxies tell about, as the certificate has them."""

    version: int
    """1 to 3."""
    serial: bytes
    """Without a leading zero byte."""
    issuer: tuple[tuple[str, bytes], ...]
    """(OpenSSL's short name or the dotted OID, the value's bytes), in order."""
    not_before: bytes
    """UTCTime or GeneralizedTime, its text."""
    not_after: bytes
    subject: tuple[tuple[str, bytes], ...]


def read_certificate(der: bytes) -> Certificate:
    """Read a certificate. Raises ValueError where it is none."""
    try:
        return _read(der)
    except (IndexError, StopIteration, ValueError):
        raise ValueError("this is no certificate in DER") from None


def _read(der: bytes) -> Certificate:
    (whole,) = list(_values(der))
    signed = next(_values(_content(whole, _SEQUENCE)))
    fields = _values(_content(signed, _SEQUENCE))
    tag, content = next(fields)
    version = 1
    if tag == _VERSION:
        version = 1 + _content(next(_values(content)), _INTEGER)[0]
        tag, content = next(fields)
    serial = _content((tag, content), _INTEGER)
    next(fields)  # the signature's algorithm
    issuer = tuple(_names(_content(next(fields), _SEQUENCE)))
    before, after = (value for _, value in _values(_content(next(fields), _SEQUENCE)))
    subject = tuple(_names(_content(next(fields), _SEQUENCE)))
    return Certificate(version, serial.lstrip(b"\0") or b"\0", issuer, before, after, subject)


def _names(content: bytes) -> Iterator[tuple[str, bytes]]:
    for relative in _values(content):
        for pair in _values(_content(relative, _SET)):
            kind, (_, value) = _values(_content(pair, _SEQUENCE))
            oid = _dotted(_content(kind, _OID))
            yield SHORT.get(oid, oid), value


def _content(value: tuple[int, bytes], wanted: int) -> bytes:
    if value[0] != wanted:
        raise ValueError("another value was due here")
    return value[1]


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give (tag, content) of the values in a row (X.690 section 8.1)."""
    at = 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size >= 0x80:
            more = size & 0x7F
            size = int.from_bytes(data[at : at + more])
            at += more
        if at + size > len(data):
            raise ValueError("a value ends early")
        yield tag, data[at : at + size]
        at += size


def _dotted(data: bytes) -> str:
    """Spell an object identifier (X.690 section 8.19)."""
    numbers, number = [], 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
