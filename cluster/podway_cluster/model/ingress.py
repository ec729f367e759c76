"""Ingress and IngressClass (networking.k8s.io/v1)."""

from __future__ import annotations

from typing import NamedTuple

from .meta import Meta


class IngressBackend(NamedTuple):
    """A Service and its port; `service_name` is empty where the backend is another resource."""

    service_name: str = ""
    service_port: int | str | None = None
    """The Service port's number or name."""


class IngressPath(NamedTuple):
    """One of a rule's `http.paths`."""

    backend: IngressBackend
    path: str = ""
    path_type: str = "ImplementationSpecific"
    """Exact, Prefix or ImplementationSpecific."""


class IngressRule(NamedTuple):
    """One of `spec.rules`."""

    host: str = ""
    paths: tuple[IngressPath, ...] | None = None
    """None where the rule has no `http`."""


class IngressTls(NamedTuple):
    """One of `spec.tls`."""

    hosts: tuple[str, ...] = ()
    secret_name: str = ""


class Ingress(NamedTuple):
    """One Ingress."""

    meta: Meta
    ingress_class_name: str = ""
    default_backend: IngressBackend | None = None
    rules: tuple[IngressRule, ...] = ()
    tls: tuple[IngressTls, ...] = ()


class IngressClass(NamedTuple):
    """One IngressClass (cluster-scoped)."""

    meta: Meta
    controller: str = ""
