"""Read an IngressController."""

from __future__ import annotations

import re

from ..model.controller import (
    ClientTls,
    IngressController,
    PublishingStrategy,
    RouteAdmission,
    TlsSecurityProfile,
)
from ..model.meta import Meta
from ..parse.fields import Fields
from .headers import controller_headers
from .logging import access_logging
from .names import host_fault
from .selector import label_selector
from .tuning import tuning_options

_PUBLISHING = ("HostNetwork", "LoadBalancerService", "NodePortService", "Private")
_PARAMETERS = {
    "HostNetwork": "hostNetwork",
    "LoadBalancerService": "loadBalancer",
    "NodePortService": "nodePort",
    "Private": "private",
}
_PROFILES = ("Old", "Intermediate", "Modern", "Custom")
_WORD = r"""[^][ ()\\<>@,;:"/?.=\x00-\x1f\x7f]+"""
_MIME_TYPE = re.compile(
    rf"(?i)(?:x-{_WORD}|application|audio|image|message|multipart|text|video)/{_WORD}"
    rf'(?:; *{_WORD}=(?:{_WORD}|"(?:\\[\x00-\x7f]|[^\r"\\])*"))*'
).fullmatch
"""The API's pattern of a CompressionMIMEType."""
_TLS_VERSIONS = ("VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13")


def read_ingress_controller(meta: Meta, body: Fields) -> IngressController:
    """Read `spec` of an IngressController; the domain may also be in its status."""
    spec = body.child("spec")
    return IngressController(
        meta=meta,
        domain=_domain(spec) or _domain(body.child("status")),
        replicas=spec.number("replicas", 1, 0, 100_000),
        endpoint_publishing_strategy=_publishing(spec.child("endpointPublishingStrategy")),
        default_certificate=spec.child("defaultCertificate").text("name"),
        namespace_selector=label_selector(spec, "namespaceSelector"),
        route_selector=label_selector(spec, "routeSelector"),
        route_admission=_admission(spec.child("routeAdmission")),
        tls_security_profile=_profile(spec.child("tlsSecurityProfile")),
        client_tls=_client_tls(spec.child("clientTLS")),
        http_headers=controller_headers(spec.child("httpHeaders")),
        http_error_code_pages=spec.child("httpErrorCodePages").text("name"),
        http_empty_requests_policy=spec.choice(
            "httpEmptyRequestsPolicy", ("Respond", "Ignore"), "Respond"
        ),
        access_logging=access_logging(spec.child("logging").child("access")),
        http_compression_mime_types=_mime_types(spec.child("httpCompression")),
        idle_connection_termination_policy=spec.choice(
            "idleConnectionTerminationPolicy", ("Immediate", "Deferred"), "Immediate"
        ),
        tuning_options=tuning_options(spec.child("tuningOptions")),
    )


def _domain(fields: Fields) -> str:
    domain = fields.text("domain")
    fault = host_fault(domain) if domain else ""
    if fault:
        fields.problem("domain", f"{domain[:80]!r} {fault}")
    return domain


def _publishing(strategy: Fields) -> PublishingStrategy:
    kind = strategy.choice("type", _PUBLISHING, "HostNetwork", required=bool(strategy))
    parameters = strategy.child(_PARAMETERS[kind])
    ports = {
        "http_port": parameters.number("httpPort", 80, 1, 65_535),
        "https_port": parameters.number("httpsPort", 443, 1, 65_535),
        "stats_port": parameters.number("statsPort", 1936, 1, 65_535),
    }
    if len(set(ports.values())) < len(ports):
        parameters.problem("", "has the same port twice: give http, https and stats their own")
    return PublishingStrategy(
        type=kind, **ports, protocol=parameters.choice("protocol", ("TCP", "PROXY"), "TCP")
    )


def _admission(admission: Fields) -> RouteAdmission:
    return RouteAdmission(
        namespace_ownership=admission.choice(
            "namespaceOwnership", ("Strict", "InterNamespaceAllowed"), "Strict"
        ),
        wildcard_policy=admission.choice(
            "wildcardPolicy", ("WildcardsDisallowed", "WildcardsAllowed"), "WildcardsDisallowed"
        ),
    )


def _profile(profile: Fields) -> TlsSecurityProfile:
    kind = profile.choice("type", _PROFILES, "Intermediate")
    if kind != "Custom":
        return TlsSecurityProfile(kind)
    custom = profile.child("custom")
    return TlsSecurityProfile(
        kind,
        custom.texts("ciphers"),
        custom.choice("minTLSVersion", _TLS_VERSIONS, "VersionTLS12"),
    )


def _client_tls(client: Fields) -> ClientTls | None:
    if not client.filled("clientCertificatePolicy") and not client:
        return None
    return ClientTls(
        client.choice("clientCertificatePolicy", ("Required", "Optional"), "", required=True),
        client.child("clientCA").text("name", required=True),
        client.texts("allowedSubjectPatterns"),
    )


def _mime_types(compression: Fields) -> tuple[str, ...]:
    names = compression.texts("mimeTypes")
    for name in names:
        if not _MIME_TYPE(name):
            compression.problem(
                "mimeTypes", f"{name[:80]!r} is no media type such as text/html or text/*"
            )
    return names
