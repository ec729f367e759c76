from __future__ import annotations

import datetime
from typing import Any

from tls_rig import Ca

from podway_cluster import Snapshot
from podway_cluster.model import ConfigMap, IngressController, Meta, Secret
from podway_cluster.model.config import SecretData
from podway_cluster.model.controller import ClientTls, TlsSecurityProfile
from podway_router.certificates import Certificate, pair
from podway_router.entry import CA, CERTIFICATE
from podway_router.material import Material
from podway_router.secrets import Certified, Ends, certified, ends, put

OWN = Ca("own")
NOW = datetime.datetime.now(datetime.UTC)


def wildcard(domain: str) -> Certificate | None:
    made = pair(*OWN.pair(f"*.{domain}", days=90))
    assert isinstance(made, Certificate)
    return made


MATERIAL = Material(NOW, wildcard, OWN.pem)


def gathered(snapshot: Snapshot = Snapshot(), **spec: Any) -> Ends:  # noqa: B008 - immutable
    controller = IngressController(Meta("IngressController", "ingress", "apps"), "a.t", **spec)
    return ends(snapshot, [controller], MATERIAL)


def config_map(namespace: str, name: str, **data: str) -> dict[tuple[str, str], ConfigMap]:
    return {(namespace, name): ConfigMap(Meta("ConfigMap", namespace, name), data)}


def test_a_wildcard_of_the_local_ca_is_the_default_certificate() -> None:
    found = gathered()
    digest = found.shards["apps"].certificate
    assert found.texts[CERTIFICATE + digest]["names"] == ["*.a.t"]
    assert found.texts[CA] == OWN.pem
    assert found.problems == ()


def test_a_default_certificate_of_the_controllers_own() -> None:
    chain, key = Ca().pair("own.t", days=10)
    data = SecretData(plain={"tls.crt": chain, "tls.key": key})
    for namespace in ("ingress", "openshift-ingress"):
        meta = Meta("Secret", namespace, "cert")
        secrets = {(namespace, "cert"): Secret(meta, "kubernetes.io/tls", data)}
        found = gathered(Snapshot(secrets=secrets), default_certificate="cert")
        assert found.texts[CERTIFICATE + found.shards["apps"].certificate]["names"] == ["own.t"]
        assert "spec.defaultCertificate: expires on" in found.problems[0]
        assert found.expiring[0][0] == "ingresscontroller ingress/apps"


def test_a_default_certificate_that_is_not_there() -> None:
    found = gathered(default_certificate="cert")
    assert "Secret cert does not exist: a certificate of the local CA" in found.problems[0]
    assert found.shards["apps"].certificate


def test_the_service_ca_of_the_cluster_is_preferred() -> None:
    other = Ca("service").pem
    maps = config_map("openshift-ingress", "service-ca-bundle", **{"service-ca.crt": other})
    assert gathered(Snapshot(config_maps=maps)).texts[CA] == other


def test_client_certificates() -> None:
    client = ClientTls("Required", "clients", ("^/CN=a$", "("))
    maps = config_map("openshift-config", "clients", **{"ca-bundle.pem": OWN.pem})
    found = gathered(Snapshot(config_maps=maps), client_tls=client)
    assert found.shards["apps"].clients == "Required"
    assert found.shards["apps"].client_ca == OWN.pem
    (problem,) = found.problems
    assert "spec.clientTLS.allowedSubjectPatterns[1]: '(' is no regular expression" in problem
    closed = gathered(client_tls=client)
    assert closed.shards["apps"].client_ca == ""
    assert "no client is let in over TLS" in closed.problems[0]


def test_a_custom_profile_keeps_what_there_is() -> None:
    custom = TlsSecurityProfile("Custom", ("ECDHE-RSA-AES128-GCM-SHA256", "NONE"), "VersionTLS12")
    found = gathered(tls_security_profile=custom)
    assert found.shards["apps"].ciphers == "ECDHE-RSA-AES128-GCM-SHA256"
    assert "'NONE' is no cipher of this OpenSSL" in found.problems[0]


def test_what_tls_needs_is_put_beside_the_other_entries() -> None:
    found = gathered()
    before: dict[str, Any] = {"shard/apps": {"limits": {}}, "route/x": {}}
    after = dict(before)
    put(after, found.shards, found.texts)
    assert set(after) == {"shard/apps", "route/x", *found.texts}
    assert after["shard/apps"]["tls"]["certificate"] == found.shards["apps"].certificate
    assert before["shard/apps"] == {"limits": {}}


def test_expiry_is_looked_at_again_after_an_hour() -> None:
    found = certified([], MATERIAL)
    minute = datetime.timedelta(minutes=1)
    assert found.holds(NOW)
    assert found.holds(NOW + 59 * minute)
    assert not found.holds(NOW + 60 * minute)
    assert not found.holds(NOW - minute)
    assert not Certified().holds(NOW)
