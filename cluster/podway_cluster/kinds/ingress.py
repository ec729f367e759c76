"""Read an Ingress or an IngressClass."""

from __future__ import annotations

from ..model.ingress import (
    Ingress,
    IngressBackend,
    IngressClass,
    IngressPath,
    IngressRule,
    IngressTls,
)
from ..model.meta import Meta
from ..parse.fields import Fields
from .names import is_port_name, wildcard_host_fault

_PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")


def read_ingress(meta: Meta, body: Fields) -> Ingress:
    """Read `spec` of an Ingress."""
    spec = body.child("spec")
    default = spec.child("defaultBackend")
    rules = tuple(_rule(each) for each in spec.children("rules"))
    if not rules and not default:
        spec.problem("rules", "is missing: add a rule or a defaultBackend")
    return Ingress(
        meta=meta,
        ingress_class_name=spec.text("ingressClassName"),
        default_backend=_backend(default) if default else None,
        rules=rules,
        tls=tuple(_tls(each) for each in spec.children("tls")),
    )


def read_ingress_class(meta: Meta, body: Fields) -> IngressClass:
    """Read `spec` of an IngressClass."""
    return IngressClass(meta, body.child("spec").text("controller"))


def _rule(entry: Fields) -> IngressRule:
    host = entry.text("host")
    fault = wildcard_host_fault(host) if host else ""
    if fault:
        entry.problem("host", f"{host[:80]!r} {fault}")
    if not entry.has("http"):
        return IngressRule(host, None)
    paths = entry.child("http").children("paths")
    if not paths:
        entry.child("http").problem("paths", "is empty: add a path with its backend")
    return IngressRule(host, tuple(_path(each) for each in paths))


def _path(entry: Fields) -> IngressPath:
    path = entry.text("path")
    kind = entry.choice("pathType", _PATH_TYPES, "ImplementationSpecific", required=True)
    if path and not path.startswith("/"):
        entry.problem("path", f"{path[:80]!r} does not begin with '/': write {'/' + path[:80]!r}")
    elif not path and kind != "ImplementationSpecific":
        entry.problem("path", f"is missing: pathType {kind} needs one")
    return IngressPath(_backend(entry.child("backend")), path, kind)


def _backend(backend: Fields) -> IngressBackend:
    service = backend.child("service")
    if backend.has("resource"):
        if service:
            backend.problem("resource", "can't be combined with service: keep one of the two")
        return IngressBackend()
    if not service:
        backend.problem("service", "is missing: name a Service and its port")
        return IngressBackend()
    return IngressBackend(service.text("name", required=True), _port(service.child("port")))


def _port(port: Fields) -> int | str | None:
    name, number = port.text("name"), port.number("number", 0, 1, 65_535)
    if name and number:
        port.problem("", "has both name and number: keep one of the two")
    elif not name and not port.has("number"):
        port.problem("", "is missing: give the Service port's name or number")
    elif name and not is_port_name(name):
        port.problem("name", f"{name[:80]!r} is no port name: use a-z, 0-9 and single '-'")
    return name or number or None


def _tls(entry: Fields) -> IngressTls:
    hosts = entry.texts("hosts")
    for host in hosts:
        fault = wildcard_host_fault(host)
        if fault:
            entry.problem("hosts", f"{host[:80]!r} {fault}")
    return IngressTls(hosts, entry.text("secretName"))
