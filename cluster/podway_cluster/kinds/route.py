"""Read a Route, with every rule of its API (reference/route-api.md, section 1)."""

from __future__ import annotations

from ..model.meta import Hidden, Meta
from ..model.route import HeaderActions, Route, RouteBackend, RouteTls
from ..parse.fields import Fields
from .headers import header_actions
from .names import host_fault, is_object_name

_MOST_ALTERNATES = 3
_NO_HEADERS = HeaderActions()
_TERMINATIONS = ("edge", "passthrough", "reencrypt")
_CERTIFICATES = ("certificate", "key", "caCertificate", "destinationCACertificate")


def read_route(meta: Meta, body: Fields) -> Route:
    """Read `spec` of a Route."""
    spec = body.child("spec")
    tls = _tls(spec) if spec.has("tls") else None
    passthrough = tls is not None and tls.termination == "passthrough"
    host = _host(spec, "host")
    headers = _NO_HEADERS
    if spec.has("httpHeaders"):
        headers = header_actions(spec.child("httpHeaders"))
    if passthrough and spec.filled("httpHeaders"):
        spec.problem("httpHeaders", "can't work with passthrough, which reads no HTTP: remove it")
    return Route(
        meta=meta,
        to=_backend(spec.child("to")),
        host=host,
        subdomain=_host(spec, "subdomain"),
        path=_path(spec, passthrough),
        alternate_backends=_alternates(spec),
        target_port=_target_port(spec),
        tls=tls,
        wildcard_policy=_wildcard_policy(spec, host),
        http_headers=headers,
    )


def _host(spec: Fields, key: str) -> str:
    host = spec.text(key)
    fault = host_fault(host) if host else ""
    if fault:
        spec.problem(key, f"{host[:80]!r} {fault}")
    return host


def _path(spec: Fields, passthrough: bool) -> str:
    path = spec.text("path")
    if not path:
        return path
    if passthrough:
        spec.problem("path", "can't work with passthrough, which reads no HTTP: remove it")
    elif not path.startswith("/"):
        spec.problem("path", f"{path[:80]!r} does not begin with '/': write {'/' + path[:80]!r}")
    elif bad := {"#", " "} & set(path):
        spec.problem("path", f"{path[:80]!r} holds {min(bad)!r}: remove it")
    elif any(each < " " or each == "\x7f" for each in path):
        spec.problem("path", "holds a control character: remove it")
    return path


def _alternates(spec: Fields) -> tuple[RouteBackend, ...]:
    found = tuple(_backend(each) for each in spec.children("alternateBackends"))
    if len(found) > _MOST_ALTERNATES:
        spec.problem(
            "alternateBackends",
            f"has {len(found)} entries: use at most {_MOST_ALTERNATES} besides spec.to",
        )
    return found


def _backend(backend: Fields) -> RouteBackend:
    name = backend.text("name", required=True)
    if name and not is_object_name(name):
        backend.problem("name", f"{name[:80]!r} is no Service's name: use a-z, 0-9 and '-'")
    return RouteBackend(
        name=name,
        weight=backend.number("weight", 100, 0, 256),
        kind=backend.choice("kind", ("Service",), "Service"),
    )


def _target_port(spec: Fields) -> int | str | None:
    if not spec.has("port"):
        return None
    port = spec.child("port")
    if not port.has("targetPort"):
        port.problem("targetPort", "is missing: add a port, or remove spec.port")
    return port.port_or_name("targetPort")


def _tls(spec: Fields) -> RouteTls:
    tls = spec.child("tls")
    termination = tls.choice("termination", _TERMINATIONS, "edge", fold=True)
    external = tls.child("externalCertificate")
    made = RouteTls(
        termination=termination,
        insecure_edge_termination_policy=_insecure_policy(tls, termination),
        certificate=tls.text("certificate", hidden=True),
        key=Hidden(tls.text("key", hidden=True)),
        ca_certificate=tls.text("caCertificate"),
        destination_ca_certificate=tls.text("destinationCACertificate"),
        external_certificate=external.text("name", required=bool(external)),
    )
    _check_certificates(tls, made)
    return made


def _insecure_policy(tls: Fields, termination: str) -> str:
    allowed = (
        ("None", "Redirect") if termination == "passthrough" else ("None", "Allow", "Redirect")
    )
    return tls.choice("insecureEdgeTerminationPolicy", allowed, "None")


def _check_certificates(tls: Fields, made: RouteTls) -> None:
    if made.termination == "passthrough":
        for key in (*_CERTIFICATES, "externalCertificate"):
            if tls.filled(key):
                tls.problem(key, "can't work with passthrough, where the pod ends TLS: remove it")
        return
    if made.termination == "edge" and made.destination_ca_certificate:
        tls.problem("destinationCACertificate", "is for termination: reencrypt only: remove it")
    if made.external_certificate and (made.certificate or made.key):
        tls.problem("externalCertificate", "can't be combined with certificate and key: keep one")


def _wildcard_policy(spec: Fields, host: str) -> str:
    policy = spec.choice("wildcardPolicy", ("None", "Subdomain"), "None")
    if policy == "Subdomain" and not host:
        spec.problem("wildcardPolicy", "Subdomain needs spec.host: add one, or use None")
    return policy
