"""Route (route.openshift.io/v1): which host and path lead to which Service."""

from __future__ import annotations

from typing import NamedTuple

from .meta import Hidden, Meta


class RouteBackend(NamedTuple):
    """A Service that takes a share of the traffic (`to`, `alternateBackends[]`)."""

    name: str
    weight: int = 100
    """0-256; 0 means no new traffic."""
    kind: str = "Service"


class RouteTls(NamedTuple):
    """`spec.tls`: who ends TLS, and with which certificate."""

    termination: str = "edge"
    """`edge`, `passthrough` or `reencrypt`, in lower case."""
    insecure_edge_termination_policy: str = "None"
    """`None`, `Allow` or `Redirect`: what plain HTTP gets."""
    certificate: str = ""
    key: Hidden = Hidden("")
    ca_certificate: str = ""
    destination_ca_certificate: str = ""
    external_certificate: str = ""
    """Name of a Secret of type kubernetes.io/tls in the Route's namespace."""


class HeaderAction(NamedTuple):
    """Set or delete one header field."""

    name: str
    type: str
    """`Set` or `Delete`."""
    value: str = ""


class HeaderActions(NamedTuple):
    """`httpHeaders.actions`, in the order in which they apply."""

    request: tuple[HeaderAction, ...] = ()
    response: tuple[HeaderAction, ...] = ()


class Route(NamedTuple):
    """One Route."""

    meta: Meta
    to: RouteBackend
    host: str = ""
    subdomain: str = ""
    """Used where `host` is empty: the router appends its domain."""
    path: str = ""
    alternate_backends: tuple[RouteBackend, ...] = ()
    target_port: int | str | None = None
    """`port.targetPort`: an endpoint port's number or name; None means every port."""
    tls: RouteTls | None = None
    wildcard_policy: str = "None"
    """`None` or `Subdomain`."""
    http_headers: HeaderActions = HeaderActions()
    exact: bool = False
    """The path matches as a whole only: never in a Route that was read, but in those that are made
    of an Ingress path of type Exact."""

    @property
    def backends(self) -> tuple[RouteBackend, ...]:
        """`to` and the alternates together."""
        return (self.to, *self.alternate_backends)
