"""Everything of a snapshot that is about keys and trust: the entries of TLS. Pure."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import compress, repeat
from operator import attrgetter, is_not
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from podway_cluster import Problem, Snapshot
from podway_cluster.model import IngressController
from podway_proxy.tls import profiles
from podway_proxy.tls.names import pattern_fault
from podway_router.certificates import (
    NOTHING,
    WARN_DAYS,
    Certificate,
    ca_fault,
    digest_of,
    expiry,
    of_secret,
)
from podway_router.entry import CA, CERTIFICATE, TlsEntry, shard_key

if TYPE_CHECKING:
    from podway_cluster.model import Meta, Secret
    from podway_proxy.process.spec import Json
    from podway_router.material import Material
    from podway_router.status import RouteStatus

CONFIG = "openshift-config"
"""Where an IngressController's ConfigMaps are (operator/v1, `clientCA`)."""
BUNDLE = "ca-bundle.pem"
SERVICE_CA = ("openshift-ingress", "service-ca-bundle")
"""The ConfigMap from which a cluster's routers have the CA that signs for Services; key
`service-ca.crt` (cluster-ingress-operator)."""
HOMES = ("openshift-ingress",)
"""Further namespaces of a controller's default certificate."""


_AGAIN = datetime.timedelta(hours=1)
"""Expiry is looked at again after this long, also where no certificate changed."""


class Certified(NamedTuple):
    """What the Routes' certificates come to."""

    texts: Mapping[str, Json] = MappingProxyType({})
    """Entries of certificates and CAs, by key."""
    problems: tuple[str, ...] = ()
    expiring: tuple[tuple[str, float], ...] = ()
    at: datetime.datetime | None = None
    """When expiry was looked at."""

    def holds(self, now: datetime.datetime | None) -> bool:
        """Tell whether it still does where no certificate changed."""
        return self.at is not None and now is not None and self.at <= now < self.at + _AGAIN


class Ends(NamedTuple):
    """What ending TLS needs of controllers."""

    shards: Mapping[str, TlsEntry]
    """By controller."""
    texts: Mapping[str, Json]
    """As those of the Routes."""
    problems: tuple[str, ...]
    expiring: tuple[tuple[str, float], ...]


def certified(
    routes: Iterable[RouteStatus],
    material: Material,
    known: Mapping[str, Json] = MappingProxyType({}),
) -> Certified:
    """Gather it for these Routes; `known` entries are taken over as they are.

    Ten thousand certificates cost some twenty milliseconds.
    """
    texts: dict[str, Json] = {}
    problems: list[str] = []
    expiring: list[tuple[str, float]] = []
    due = material.now + datetime.timedelta(days=WARN_DAYS) if material.now else None
    routes = list(routes)
    tls_of = map(attrgetter("tls"), routes)
    for status in compress(routes, map(is_not, tls_of, repeat(NOTHING))):  # most have none
        tls = status.tls
        if tls.certificate is not None:
            _note(texts, tls.certificate, known)
            if due is not None and tls.certificate.expires <= due:
                meta = status.route.meta
                _watch(tls.certificate, meta, tls.field, material, problems, expiring)
        if tls.destination_ca:
            texts[CA + digest_of(tls.destination_ca)] = tls.destination_ca
    return Certified(texts, tuple(problems), tuple(expiring), material.now)


def ends(
    snapshot: Snapshot,
    controllers: Iterable[IngressController],
    material: Material,
    known: Mapping[str, Json] = MappingProxyType({}),
) -> Ends:
    """Gather it for these controllers; `known` entries are taken over as they are."""
    texts: dict[str, Json] = {}
    problems: list[str] = []
    expiring: list[tuple[str, float]] = []
    default_ca = _service_ca(snapshot) or material.ca
    if default_ca:
        texts[CA] = default_ca
    shards = {}
    for one in controllers:
        faults: list[tuple[str, str]] = []
        certificate = _default(snapshot, one, material, faults)
        shards[one.meta.name] = _shard(snapshot, one, certificate, faults)
        problems.extend(str(Problem.about(one.meta, *fault)) for fault in faults)
        if certificate is not None:
            _note(texts, certificate, known)
            field = "spec.defaultCertificate"
            _watch(certificate, one.meta, field, material, problems, expiring)
    return Ends(shards, texts, tuple(problems), tuple(expiring))


def put(
    entries: dict[str, Json], shards: Mapping[str, TlsEntry], texts: Mapping[str, Json]
) -> None:
    """Put what TLS needs into the entries."""
    for name, shard in shards.items():
        key = shard_key(name)
        entries[key] = {**entries[key], "tls": shard._asdict()}
    entries.update(texts)


def _note(texts: dict[str, Json], certificate: Certificate, known: Mapping[str, Json]) -> None:
    key = CERTIFICATE + certificate.digest
    if key not in texts:
        texts[key] = known.get(key) or {"pem": certificate.pem, "names": list(certificate.names)}


def _watch(
    certificate: Certificate,
    meta: Meta,
    field: str,
    material: Material,
    problems: list[str],
    expiring: list[tuple[str, float]],
) -> None:
    """Say that a certificate expires soon."""
    words = expiry(certificate, material.now)
    if words:
        problem = Problem.about(meta, field, words)
        problems.append(str(problem))
        expiring.append((problem.label, certificate.expires.timestamp()))


def _default(
    snapshot: Snapshot,
    controller: IngressController,
    material: Material,
    faults: list[tuple[str, str]],
) -> Certificate | None:
    """Give the controller's own default certificate, else one made here."""
    name = controller.default_certificate
    if name:
        secret = _secret(snapshot, controller, name)
        found = of_secret(secret) if secret is not None else "does not exist"
        if isinstance(found, Certificate):
            return found
        faults.append(
            (
                "spec.defaultCertificate.name",
                f"Secret {name} {found}: a certificate of the local CA is shown instead",
            )
        )
    return material.wildcard(controller.domain)


def _secret(snapshot: Snapshot, controller: IngressController, name: str) -> Secret | None:
    for namespace in (controller.meta.namespace, *HOMES):
        found = snapshot.secrets.get((namespace, name))
        if found is not None:
            return found
    return None


def _shard(
    snapshot: Snapshot,
    controller: IngressController,
    certificate: Certificate | None,
    faults: list[tuple[str, str]],
) -> TlsEntry:
    wanted = controller.tls_security_profile
    ciphers = wanted.ciphers
    if wanted.type == "Custom":
        field = "spec.tlsSecurityProfile.custom.ciphers"
        faults.extend((field, one) for one in profiles.custom_faults(ciphers, _known_ciphers()))
        ciphers = tuple(name for name in ciphers if name in _known_ciphers())
    profile = profiles.profile(wanted.type, ciphers, wanted.min_tls_version)
    digest = certificate.digest if certificate is not None else ""
    entry = TlsEntry(digest, profile.lowest, profile.ciphers)
    return entry._replace(**_clients(snapshot, controller, faults))


def _clients(
    snapshot: Snapshot, controller: IngressController, faults: list[tuple[str, str]]
) -> dict[str, Any]:
    """Give what is asked of clients; without a usable CA nobody's certificate is accepted."""
    client = controller.client_tls
    if client is None:
        return {}
    bundle = snapshot.config_maps.get((CONFIG, client.client_ca))
    pem = bundle.data.get(BUNDLE, "") if bundle is not None else ""
    fault = ca_fault(pem) if pem else f"does not exist in {CONFIG}, or has no {BUNDLE}"
    if fault:
        faults.append(
            (
                "spec.clientTLS.clientCA.name",
                f"ConfigMap {client.client_ca} {fault}: no client is let in over TLS",
            )
        )
    for place, pattern in enumerate(client.allowed_subject_patterns):
        wrong = pattern_fault(pattern)
        if wrong:
            faults.append((f"spec.clientTLS.allowedSubjectPatterns[{place}]", wrong))
    return {
        "clients": client.client_certificate_policy,
        "client_ca": "" if fault else pem,
        "patterns": list(client.allowed_subject_patterns),
    }


def _service_ca(snapshot: Snapshot) -> str:
    found = snapshot.config_maps.get(SERVICE_CA)
    pem = found.data.get("service-ca.crt", "") if found is not None else ""
    return "" if not pem or ca_fault(pem) else pem


@lru_cache(1)
def _known_ciphers() -> frozenset[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:COMPLEMENTOFALL:" + profiles.WEAK)
    return frozenset(_names(context))


def _names(context: ssl.SSLContext) -> Iterator[str]:
    for cipher in context.get_ciphers():
        yield cipher["name"]
