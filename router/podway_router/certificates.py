"""Certificates of Routes: where they come from, whether they can be served. The loader's. Pure.

Extended validation (reference/route-api.md section 1): a Route whose certificate or key can't be
used is not admitted, with the reason that the OpenShift router gives; one that can be used but
will disappoint (expired, for another host) is served with a warning, as there.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.tls.names import covers
from podway_router.admission import Condition

if TYPE_CHECKING:
    from cryptography import x509

    from podway_cluster.model import Route, Secret
    from podway_cluster.model.route import RouteTls

EXTENDED = "ExtendedValidationFailed"
EXTERNAL = "ExternalCertificateValidationFailed"
NOT_FOUND = "ExternalCertificateGetFailed"
DELETED = "ExternalCertificateSecretDeleted"
TLS_SECRET = "kubernetes.io/tls"  # noqa: S105 - a Secret's type
_KEY = re.compile(
    r"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----.*?-----END ([A-Z]+ )*PRIVATE KEY-----\n?", re.S
)
WARN_DAYS = 30
"""An expiry is told so many days ahead."""
_LEAST_RSA, _LEAST_EC = 2048, 224
"""OpenSSL's security level 2, Debian's default, loads nothing weaker."""
_KEPT = 20_000
"""Pairs that are not read again when other objects change."""


class Certificate(NamedTuple):
    """A certificate that can be served."""

    digest: str
    """Names it: two that differ in a byte differ here."""
    pem: str
    """The certificate, its chain, its key."""
    names: tuple[str, ...]
    """The DNS names it is for, in lower case."""
    expires: datetime.datetime

    def __repr__(self) -> str:
        """Show no key."""
        return f"<certificate for {', '.join(self.names)}>"


class Served(NamedTuple):
    """What TLS of one Route needs."""

    certificate: Certificate | None = None
    """None: the controller's default."""
    destination_ca: str = ""
    """PEM; empty: the default CA."""
    field: str = ""
    """Where the certificate is said to be."""
    warnings: tuple[str, ...] = ()
    """`field: message`"""


NOTHING = Served()
"""What a Route needs whose TLS does not end here, or that has none: this very value."""


def of_route(
    route: Route, host: str, secrets: Callable[[str], Secret | None]
) -> Served | Condition:
    """Give what TLS of an edge or reencrypt Route needs, or the condition that refuses it.

    `host` as it is kept, `secrets` finds a Secret of the Route's namespace by name.
    """
    tls = route.tls
    if tls is None or tls.termination == "passthrough":
        return NOTHING
    name = tls.external_certificate
    found = _external(name, secrets) if name else _inline(tls)
    if isinstance(found, Condition):
        return found
    fault = ca_fault(tls.destination_ca_certificate) if tls.destination_ca_certificate else ""
    if fault:
        return Condition(False, EXTENDED, f"spec.tls.destinationCACertificate {fault}")
    field = f"spec.tls.{'externalCertificate' if name else 'certificate'}"
    doubts = (f"{field}: {_doubt(found, host)}",) if found and _doubt(found, host) else ()
    return Served(found, tls.destination_ca_certificate, field, doubts)


def of_secret(secret: Secret) -> Certificate | str:
    """Give the certificate of a Secret, or what is wrong with it."""
    if secret.type != TLS_SECRET:
        return f"has type {secret.type}, not {TLS_SECRET}"
    try:
        pem, key = secret.data["tls.crt"].decode(), secret.data["tls.key"].decode()
    except (KeyError, ValueError):
        return "has no tls.crt and tls.key in PEM"
    return pair(pem, key)


def expiry(certificate: Certificate, now: datetime.datetime | None) -> str:
    """Say that a certificate has expired or soon will; empty when it has time."""
    if now is None:
        return ""
    left = certificate.expires - now
    day = certificate.expires.date().isoformat()
    if left <= datetime.timedelta(0):
        return f"has expired on {day}: replace it"
    if left <= datetime.timedelta(days=WARN_DAYS):
        return f"expires on {day}, in {max(left.days, 0)} days: replace it"
    return ""


@lru_cache(_KEPT)
def pair(chain: str, key: str) -> Certificate | str:
    """Read a certificate with its chain and its key, or say what is wrong (never showing any)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return "is no certificate in PEM"
    try:
        private = serialization.load_pem_private_key(
            key.encode(), None, unsafe_skip_rsa_key_validation=True
        )
    except TypeError:
        return "has an encrypted key: decrypt it"
    except ValueError:
        return "has no private key in PEM"
    leaf = certificates[0]
    public = leaf.public_key()
    if private.public_key() != public:
        return "and the key do not belong together"
    weak = _weakness(leaf, public)
    if weak:
        return weak
    pem = "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)
    whole = pem + key.strip() + "\n"
    return Certificate(digest_of(whole), whole, tuple(_names(leaf)), leaf.not_valid_after_utc)


@lru_cache(_KEPT)
def ca_fault(pem: str) -> str:
    """Say why these are no certificates to verify others with; empty when they are."""
    from cryptography import x509

    try:
        x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return "is no certificate in PEM"
    return ""


def digest_of(pem: str) -> str:
    """Name a text: two that differ in a byte have different names."""
    return sha256(pem.encode()).hexdigest()[:32]


def _inline(tls: RouteTls) -> Certificate | Condition | None:
    if not tls.certificate:
        if tls.key:
            return Condition(False, EXTENDED, "spec.tls.key is there without a certificate")
        return None
    key, chain = str(tls.key), tls.certificate
    if "PRIVATE KEY" in chain:
        embedded = _KEY.search(chain)
        key = key or (embedded[0] if embedded else "")
        chain = _KEY.sub("", chain)
    if tls.ca_certificate:
        fault = ca_fault(tls.ca_certificate)
        if fault:
            return Condition(False, EXTENDED, f"spec.tls.caCertificate {fault}")
        chain = chain.rstrip() + "\n" + tls.ca_certificate
    if not key:
        return Condition(False, EXTENDED, "spec.tls.certificate has no key: add spec.tls.key")
    found = pair(chain, key)
    if isinstance(found, str):
        return Condition(False, EXTENDED, f"spec.tls.certificate {found}")
    return found


def _external(name: str, secrets: Callable[[str], Secret | None]) -> Certificate | Condition:
    secret = secrets(name)
    if secret is None:
        return Condition(False, NOT_FOUND, f"there is no Secret {name} in the Route's namespace")
    found = of_secret(secret)
    if isinstance(found, str):
        return Condition(False, EXTERNAL, f"Secret {name} {found}")
    return found


def _doubt(certificate: Certificate, host: str) -> str:
    """Say that clients will not accept it; for a wildcard Route it must have the very wildcard."""
    if covers(certificate.names, host):
        return ""
    shown = ", ".join(certificate.names[:3]) or "no host"
    return f"is for {shown}, not for {host}: clients will not accept it"


def _weakness(leaf: x509.Certificate, public: object) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    signed = leaf.signature_hash_algorithm
    if isinstance(signed, hashes.SHA1 | hashes.MD5) and leaf.issuer != leaf.subject:
        return f"is signed with {signed.name.upper()}, which clients refuse: have it signed anew"
    if isinstance(public, rsa.RSAPublicKey) and public.key_size < _LEAST_RSA:
        return f"has an RSA key of {public.key_size} bits: {_LEAST_RSA} is the least"
    if isinstance(public, ec.EllipticCurvePublicKey) and public.key_size < _LEAST_EC:
        return f"has an EC key of {public.key_size} bits: {_LEAST_EC} is the least"
    return ""


def _names(leaf: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [name.lower() for name in found.value.get_values_for_type(x509.DNSName)]
