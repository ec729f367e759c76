"""The X-SSL fields; the forms were read off HAProxy 2.6."""

from __future__ import annotations

import hashlib
import ssl

import pytest
from cryptography import x509
from tls_rig import Ca

from podway_router.client_certificate import lines, moment

OID = x509.NameOID
SUBJECT = x509.Name(
    [
        x509.NameAttribute(OID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(OID.ORGANIZATION_NAME, 'Shop, "Inc"\r\nX-Evil: 1'),
        x509.NameAttribute(OID.COMMON_NAME, "alice"),
    ]
)


def fields(block: bytes) -> dict[str, bytes]:
    pairs = (line.partition(b": ") for line in block.removesuffix(b"\r\n").split(b"\r\n"))
    return {name.decode(): value for name, _, value in pairs}


def test_what_is_told_of_a_certificate() -> None:
    ca = Ca("test CA")
    der = ssl.PEM_cert_to_DER_cert(ca.pair("a", subject=SUBJECT)[0])
    told = fields(lines(der))
    assert told["X-SSL"] == b"1"
    assert told["X-SSL-Client-Verify"] == b"0"
    assert told["X-SSL-Client-Version"] == b"3"
    assert told["X-SSL-Client-SHA1"] == hashlib.sha1(der).hexdigest().upper().encode()
    assert told["X-SSL-Client-DN"] == b'/C=DE/O=Shop, "Inc"%0D%0AX-Evil: 1/CN=alice'
    assert told["X-SSL-Client-CN"] == b"alice"
    assert told["X-SSL-Issuer"] == b"/CN=test CA"
    assert told["X-SSL-Client-DER"].startswith(b"MII")
    assert len(told) == 11


def test_without_a_certificate_all_is_empty() -> None:
    told = fields(lines(b""))
    assert {name: value for name, value in told.items() if value} == {
        "X-SSL": b"1",
        "X-SSL-Client-Verify": b"0",
    }
    assert len(told) == 11


def test_bytes_that_are_no_certificate_end_nothing() -> None:
    assert fields(lines(b"\x30\x03abc"))["X-SSL-Client-CN"] == b""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"261122015000Z", b"261122015000Z"),
        (b"20760304015000Z", b"760304015000Z"),
        (b"21760304015000Z", b""),
        (b"", b""),
    ],
)
def test_times(text: bytes, expected: bytes) -> None:
    assert moment(text) == expected
