"""The local CA: signs the certificates that nobody else has given. The loader's.

Its certificate and key are kept in a directory, so that a client that was told to trust it goes on
doing so. What it signs has keys that never touch a disk.
"""

from __future__ import annotations

import datetime
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
LEAF_DAYS = 90
_COMMON_NAME_MOST = 64
"""ub-common-name, RFC 5280 appendix A.1."""
CERTIFICATE, KEY = "ca.pem", "ca-key.pem"

Key = ec.EllipticCurvePrivateKey


class Authority:
    """A CA: its certificate and key."""

    def __init__(self, certificate: x509.Certificate, key: Key) -> None:
        self.certificate = certificate
        self.key = key

    @property
    def pem(self) -> str:
        """The CA's certificate, for clients to trust."""
        return _pem(self.certificate).decode()

    def leaf(self, names: Sequence[str]) -> tuple[str, str]:
        """Make a certificate for these host names: (it and the CA's, its key), both PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        chain = _pem(self._leaf(names, key)) + _pem(self.certificate)
        return chain.decode(), _key_pem(key).decode()

    def _leaf(self, names: Sequence[str], key: Key) -> x509.Certificate:
        builder = _builder(names[0], self.certificate.subject, key, LEAF_DAYS)
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(alternatives, critical=False)
        builder = builder.add_extension(usage, critical=False)
        builder = builder.add_extension(issuer, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def authority(directory: Path) -> Authority:
    """Load the CA from `ca.pem` and `ca-key.pem` in `directory`, or make and keep one.

    Processes that do it at the same time get the same one. Raises OSError when it can't be kept,
    ValueError when a file there is not what it should be.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _kept(directory) or _make(directory)
    finally:
        os.close(lock)


def passing() -> Authority:
    """Make a CA that is kept nowhere: it ends with the process."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("podway local CA")
    builder = _builder("podway local CA", name, key, CA_DAYS)
    constraint = x509.BasicConstraints(ca=True, path_length=0)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(constraint, critical=True)
    builder = builder.add_extension(identifier, critical=False)
    builder = builder.add_extension(_ca_usage(), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def _kept(directory: Path) -> Authority | None:
    certificate_file, key_file = directory / CERTIFICATE, directory / KEY
    if not (certificate_file.exists() and key_file.exists()):
        return None
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        why = "not an EC key; remove it and ca.pem to have new ones"
        raise ValueError(f"{key_file}: {why}")  # noqa: TRY004 - the file's content is wrong
    return Authority(x509.load_pem_x509_certificate(certificate_file.read_bytes()), key)


def _make(directory: Path) -> Authority:
    made = passing()
    _keep(directory / KEY, _key_pem(made.key), 0o600)
    _keep(directory / CERTIFICATE, _pem(made.certificate), 0o644)
    return made


def _builder(subject: str, issuer: x509.Name, key: Key, days: int) -> x509.CertificateBuilder:
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=days))
    )


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:_COMMON_NAME_MOST])])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _keep(path: Path, data: bytes, mode: int) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
