from __future__ import annotations

from typing import Any

import pytest

from podway_cluster.model import Ingress, Meta, Secret, SecretData
from podway_cluster.model.ingress import IngressTls
from podway_cluster.snapshot import Snapshot, build
from podway_router.ingress_seen import Seen
from podway_router.ingress_tls import DESTINATION_CA, TERMINATION, Unusable, tls_of


def snapshot(**secrets: str) -> Snapshot:
    """Give one with Secrets of these types."""
    data = SecretData(plain={"ca.crt": "CA"})
    return build(Secret(Meta("Secret", "n", name), kind, data) for name, kind in secrets.items())


def tls(host: str, *entries: IngressTls, has: dict[str, str], **annotations: str) -> Any:
    names = {"termination": TERMINATION, "ca": DESTINATION_CA}
    meta = Meta("Ingress", "n", "i", annotations={names[k]: v for k, v in annotations.items()})
    return tls_of(Ingress(meta, tls=entries), host, Seen(snapshot(**has)))


OWN = IngressTls(("h.t", "*.w.t"), "own")
HAS = {"own": "kubernetes.io/tls"}


@pytest.mark.parametrize("host", ["h.t", "a.w.t", "*.w.t"])
def test_a_secret_that_covers_the_host(host: str) -> None:
    found = tls(host, OWN, has=HAS)
    assert (found.termination, found.insecure_edge_termination_policy) == ("edge", "Redirect")
    assert found.external_certificate == "own"


@pytest.mark.parametrize("host", ["w.t", "b.a.w.t", "other.t"])
def test_a_host_that_none_covers_has_no_tls(host: str) -> None:
    assert tls(host, OWN, has=HAS) is None


def test_an_empty_entry_asks_for_the_default_certificate() -> None:
    found = tls("h.t", IngressTls(), has={})
    assert (found.termination, found.external_certificate) == ("edge", "")


@pytest.mark.parametrize("termination", ["edge", "passthrough", "reencrypt", "Reencrypt"])
def test_the_annotation_chooses_and_asks_for_tls(termination: str) -> None:
    found = tls("h.t", has={}, termination=termination)
    assert found.termination == termination.lower()


def test_an_invalid_annotation_is_as_none() -> None:
    assert tls("h.t", has={}, termination="open") is None
    assert tls("h.t", OWN, has=HAS, termination="open").termination == "edge"


@pytest.mark.parametrize("has", [{}, {"own": "Opaque"}])
def test_it_fails_closed(has: dict[str, str]) -> None:
    with pytest.raises(Unusable, match=r"no Route is made.*n/own"):
        tls("h.t", OWN, has=has)


def test_passthrough_has_no_certificate() -> None:
    assert tls("h.t", OWN, has=HAS, termination="passthrough").external_certificate == ""


def test_the_destination_ca_is_for_reencrypt_only() -> None:
    has = {"pods": "Opaque"}
    assert (
        tls("h.t", has=has, termination="reencrypt", ca="pods").destination_ca_certificate == "CA"
    )
    assert tls("h.t", has=has, termination="edge", ca="pods").destination_ca_certificate == ""
    with pytest.raises(Unusable, match="no Secret n/none"):
        tls("h.t", has=has, termination="reencrypt", ca="none")
