from __future__ import annotations

import datetime
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tls_rig import Ca

from podway_cluster.model import Meta, Route, Secret
from podway_cluster.model.config import SecretData
from podway_cluster.model.meta import Hidden
from podway_cluster.model.route import RouteBackend, RouteTls
from podway_router.admission import Condition
from podway_router.certificates import (
    EXTENDED,
    EXTERNAL,
    NOT_FOUND,
    Certificate,
    Served,
    expiry,
    of_route,
    of_secret,
    pair,
)

CA = Ca()
NOW = datetime.datetime.now(datetime.UTC)


def found(secrets: dict[str, Secret] | None = None, host: str = "a.t", **tls: Any) -> Any:
    fields = {**tls, "key": Hidden(tls.get("key", ""))}
    route = Route(Meta("Route", "shop", "web"), RouteBackend("web"), tls=RouteTls(**fields))
    return of_route(route, host, (secrets or {}).get)


def served(**tls: Any) -> Served:
    made = found(**tls)
    assert isinstance(made, Served)
    return made


def refused(**tls: Any) -> Condition:
    condition = found(**tls)
    assert isinstance(condition, Condition)
    assert not condition.admitted
    return condition


def secret(chain: str, key: str, kind: str = "kubernetes.io/tls") -> dict[str, Secret]:
    data = SecretData(plain={"tls.crt": chain, "tls.key": key})
    return {"cert": Secret(Meta("Secret", "shop", "cert"), kind, data)}


def test_a_certificate_and_its_key_apart_embedded_or_in_a_secret_are_the_same() -> None:
    chain, key = CA.pair("a.t")
    apart = served(certificate=chain, key=key)
    assert apart == served(certificate=chain + key)._replace(field=apart.field)
    assert apart == served(certificate=key + chain)
    external = served(secrets=secret(chain, key), external_certificate="cert")
    assert external.certificate == apart.certificate
    assert external.field == "spec.tls.externalCertificate"


def test_the_chain_follows_the_certificate() -> None:
    chain, key = CA.pair("a.t")
    made = served(certificate=chain, key=key, ca_certificate=CA.pem).certificate
    assert made is not None
    assert made.pem.count("BEGIN CERTIFICATE") == 2
    assert made.pem.startswith(chain)


def test_none_of_its_own() -> None:
    assert served() == Served(field="spec.tls.certificate")
    assert served(termination="passthrough") == Served()


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        ({"certificate": "garbage"}, "has no key"),
        ({"certificate": "garbage", "key": CA.pair("a.t")[1]}, "is no certificate in PEM"),
        ({"certificate": CA.pair("a.t")[0]}, "has no key"),
        ({"certificate": CA.pair("a.t")[0], "key": "garbage"}, "has no private key in PEM"),
        ({"certificate": CA.pair("a.t")[0], "key": CA.pair("a.t")[1]}, "do not belong together"),
        ({"certificate": CA.leaf("a.t"), "ca_certificate": "x"}, "caCertificate is no"),
        ({"key": CA.pair("a.t")[1]}, "without a certificate"),
        (
            {"termination": "reencrypt", "destination_ca_certificate": "x"},
            "destinationCACertificate is no certificate",
        ),
    ],
)
def test_what_cannot_be_served_is_not_admitted(tls: dict[str, str], words: str) -> None:
    condition = refused(**tls)
    assert condition.reason == EXTENDED
    assert words in condition.message
    assert "PRIVATE" not in condition.message


def test_external_certificates_have_reasons_of_their_own() -> None:
    assert refused(external_certificate="cert").reason == NOT_FOUND
    chain, key = CA.pair("a.t")
    wrong = secret(chain, key, "Opaque")
    assert refused(secrets=wrong, external_certificate="cert").reason == EXTERNAL
    broken = secret(chain, CA.pair("a.t")[1])
    assert refused(secrets=broken, external_certificate="cert").reason == EXTERNAL


def test_an_encrypted_key_is_refused() -> None:
    chain, key = CA.pair("a.t")
    encrypted = (
        serialization.load_pem_private_key(key.encode(), None)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"word"),
        )
        .decode()
    )
    assert "encrypted" in refused(certificate=chain, key=encrypted).message


def test_a_weak_key_is_refused() -> None:
    key = rsa.generate_private_key(65537, 1024)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain, _ = CA.pair("a.t", key=key)
    assert pair(chain, private.decode()) == "has an RSA key of 1024 bits: 2048 is the least"


def test_a_ca_that_signs_with_sha1_is_refused_oneself_is_not(tmp_path: Path) -> None:
    """By openssl: cryptography makes no such certificates any more."""

    def openssl(command: str) -> None:
        run = ["openssl", *command.split()]
        subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, timeout=30)

    new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9"
    openssl(f"{new} -sha1 -subj /CN=a.t -keyout key -out own")
    openssl(f"{new} -subj /CN=ca -keyout ca-key -out ca")
    openssl("req -new -key key -subj /CN=a.t -out request")
    openssl("x509 -req -in request -CA ca -CAkey ca-key -CAcreateserial -sha1 -out signed")
    texts = {name: (tmp_path / name).read_text() for name in ("key", "own", "signed")}
    found = pair(texts["signed"], texts["key"])
    assert found == "is signed with SHA1, which clients refuse: have it signed anew"
    assert isinstance(pair(texts["own"], texts["key"]), Certificate)


def test_another_host_is_a_warning() -> None:
    (warning,) = served(certificate=CA.leaf("b.t", "*.c.t")).warnings
    assert warning.startswith("spec.tls.certificate: is for b.t, *.c.t, not for a.t")
    assert served(certificate=CA.leaf("*.c.t"), host="*.c.t").warnings == ()


@pytest.mark.parametrize(
    ("days", "words"), [(-1, "has expired on"), (5, "in 4 days"), (29, "in 28"), (40, "")]
)
def test_expiry(days: int, words: str) -> None:
    made = pair(*CA.pair("a.t", days=days))
    assert isinstance(made, Certificate)
    # Not NOW: a certificate made later than that has more days left, counted from there.
    said = expiry(made, datetime.datetime.now(datetime.UTC))
    assert words in said
    assert bool(words) is bool(said)
    assert expiry(made, None) == ""


def test_a_secret_without_data_says_so() -> None:
    empty = Secret(Meta("Secret", "shop", "cert"), "kubernetes.io/tls", SecretData())
    assert of_secret(empty) == "has no tls.crt and tls.key in PEM"


def test_no_key_shows_in_a_certificates_repr() -> None:
    assert "KEY" not in repr(pair(*CA.pair("a.t")))
