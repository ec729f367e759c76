"""Certificates read from DER, beside what cryptography and OpenSSL say of them."""

from __future__ import annotations

import _ssl
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from podway_proxy.tls.certificate import SHORT, read_certificate

KEY = ec.generate_private_key(ec.SECP256R1())
OID = x509.NameOID


def name(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def made(subject: x509.Name, serial: int, until: datetime.datetime) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(name((OID.ORGANIZATION_NAME, 'Org "q"'), (OID.COMMON_NAME, "CA")))
        .public_key(KEY.public_key())
        .serial_number(serial)
        .not_valid_before(datetime.datetime(2026, 11, 22, 1, 50))
        .not_valid_after(until)
    )
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_what_a_certificate_says() -> None:
    subject = name(
        (OID.COUNTRY_NAME, "DE"),
        (OID.DOMAIN_COMPONENT, "ex"),
        (OID.COMMON_NAME, "alice \u00fc"),
        (OID.COMMON_NAME, "second"),
        (OID.EMAIL_ADDRESS, "a@b.c"),
        (x509.ObjectIdentifier("2.999.40000"), "odd"),
    )
    der = made(subject, 0xAB01FF, datetime.datetime(2076, 3, 4, 1, 50))
    read = read_certificate(der)
    assert read.version == 3
    assert read.serial == b"\xab\x01\xff"
    assert read.issuer == (("O", b'Org "q"'), ("CN", b"CA"))
    assert read.subject == (
        ("C", b"DE"),
        ("DC", b"ex"),
        ("CN", "alice \u00fc".encode()),
        ("CN", b"second"),
        ("emailAddress", b"a@b.c"),
        ("2.999.40000", b"odd"),
    )
    assert (read.not_before, read.not_after) == (b"261122015000Z", b"20760304015000Z")


def test_a_long_certificate() -> None:
    many = name(*[(OID.ORGANIZATIONAL_UNIT_NAME, f"unit {n}" * 5) for n in range(90)])
    der = made(many, 1, datetime.datetime(2027, 1, 1))
    assert len(read_certificate(der).subject) == 90


def test_what_is_no_certificate() -> None:
    der = made(name((OID.COMMON_NAME, "a")), 1, datetime.datetime(2027, 1, 1))
    for bad in (b"", b"0", b"0\x80", der[:-1], der[:40], der + b"\0", b"\x31" + der[1:]):
        with pytest.raises(ValueError, match="no certificate"):
            read_certificate(bad)


@pytest.mark.parametrize("oid", SHORT)
def test_short_names_are_openssls(oid: str) -> None:
    assert _ssl.txt2obj(oid, False)[1] == SHORT[oid]
