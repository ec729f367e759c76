"""What the loader compiles and the workers read: plain values that JSON carries.

Keys: `shard/<controller>` for a `ShardEntry`, `route/<controller>/<namespace>/<name>` for a
`RouteEntry`, `certificate/<digest>` and `ca/<digest>` for PEM, `down/<host>:<port>` for an endpoint
that fails its checks (the prober's).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import ne
from typing import Any, NamedTuple

from podway_proxy.limits import Limits
from podway_proxy.tls.profiles import INTERMEDIATE

SHARD = "shard/"
ROUTE = "route/"

CERTIFICATE = "certificate/"
"""And the digest: `{"pem": chain and key, "names": DNS names}`."""
CA = "ca/"
"""And the digest: PEM, with which a reencrypt Route's pods are verified; without a digest: the
default CA."""

HTTP = "http"
HTTPS = "https"


class ShardEntry(NamedTuple):
    """What the front ends of one IngressController go by."""

    limits: dict[str, Any]
    """Fields of `podway_proxy.limits.Limits` that differ from the default."""
    forwarded: str = "append"
    """`spec.httpHeaders.forwardedHeaderPolicy`, in lower case."""
    deferred: bool = False
    """`spec.idleConnectionTerminationPolicy: Deferred`: when draining, an idle connection waits
    for its next request instead of being closed."""
    tls: dict[str, Any] | None = None
    """Fields of a `TlsEntry`."""
    compressed: list[str] | None = None
    """`spec.httpCompression.mimeTypes`, where there are some."""
    heads: dict[str, Any] | None = None
    """Fields of a `HeadsEntry`."""
    access: dict[str, Any] | None = None
    """`spec.logging.access`: fields of an `access.settings.AccessEntry`; None: no log."""
    pages: dict[str, str] | None = None
    """`spec.httpErrorCodePages`: whole answers by status."""
    ignore_empty: bool = False
    """`spec.httpEmptyRequestsPolicy: Ignore`."""
    log_empty: bool = True
    """`spec.logging.access.logEmptyRequests: Log`."""


class HeadsEntry(NamedTuple):
    """What one IngressController does to heads; an action is [name, value], or [name] to delete."""

    most: int = 32_768
    """`spec.tuningOptions.headerBufferBytes`: no action makes a head longer."""
    request_actions: list[list[str]] | None = None
    response_actions: list[list[str]] | None = None
    unique_id: str = ""
    """`spec.httpHeaders.uniqueId.name`; empty: requests are given none."""
    unique_id_format: str = ""
    """Empty: the default one."""
    names: list[str] | None = None
    """`spec.httpHeaders.headerNameCaseAdjustments`."""


class TlsEntry(NamedTuple):
    """How one IngressController ends TLS."""

    certificate: str = ""
    """Digest of the default certificate; empty: there is none, and nothing is terminated."""
    lowest: str = INTERMEDIATE.lowest
    ciphers: str = INTERMEDIATE.ciphers
    clients: str = ""
    """`spec.clientTLS.clientCertificatePolicy`: Required, Optional, or empty."""
    client_ca: str = ""
    """PEM."""
    patterns: Sequence[str] = ()
    """`spec.clientTLS.allowedSubjectPatterns`."""


class RouteEntry(NamedTuple):
    """One admitted Route, with all that a request or connection for it needs."""

    host: str
    """Lower-case; `*.<parent>` for a wildcard."""
    path: str
    """As it covers others below it; with `=` in front it matches as a whole only."""
    termination: str
    """Empty, edge, reencrypt or passthrough."""
    insecure: str
    """None, Allow or Redirect; of no meaning without termination."""
    endpoints: list[tuple[str, int, str, int]]
    """(host, port, name, weight) of each."""
    policy: str
    """roundrobin, leastconn, source or random."""
    step: str = ""
    """Why there are no endpoints, `no-service` or `no-endpoint`; empty when there are some."""
    why: str = ""
    """The same as a sentence."""
    server_timeout: float = 30.0
    tunnel_timeout: float = 3600.0
    forwarded: str = ""
    """append, replace, if-none or never; empty: as the controller has it."""
    certificate: str = ""
    """Digest of the Route's own certificate; empty: the controller's default."""
    server_name: str = ""
    """Reencrypt: what is sent to the pods as SNI; empty: they speak plain TCP."""
    ca: str = ""
    """Reencrypt: digest of who signs the pods' certificates; empty: the default CA."""
    pod_names: list[str] | None = None
    """Reencrypt with the default CA: names of which a pod's certificate must have one."""
    allowed: list[str] | None = None
    """CIDRs from which clients may come; None: from anywhere."""
    cookie: str | None = None
    """Name of the cookie that brings a client back to its endpoint; None: there is none."""
    same_site: str = ""
    """The cookie's SameSite, with Secure; empty: it has neither."""
    kept: list[tuple[str, int, str, int]] | None = None
    """Endpoints as above that a client's cookie alone leads to; their weight is 0."""
    request_actions: list[list[str]] | None = None
    """[name, value] sets a header field, [name] deletes it."""
    response_actions: list[list[str]] | None = None
    hsts: str = ""
    """Strict-Transport-Security of answers over TLS."""
    rewrite: list[str] | None = None
    """`spec.path`, and what the pod's paths begin with in its place."""
    adjusts_case: bool = False
    """Requests get the controller's spelling of field names."""
    servers: dict[str, str] | None = None
    """`host:port` to the name that OpenShift's logs and metrics have; None: nobody asks for it."""
    rules: dict[str, int] | None = None
    """What one client may ask for: fields of `podway_proxy.limiting.clients.Rules`."""
    pod_connections: int = 0
    """How many connections or requests a pod may have at once; 0: as many as come."""


def shard_key(controller: str) -> str:
    """Give the key of a controller's entry."""
    return SHARD + controller


def route_key(controller: str, namespace: str, name: str) -> str:
    """Give the key of a Route's entry."""
    return f"{ROUTE}{controller}/{namespace}/{name}"


def key_of_label(controller: str, label: str) -> str:
    """Give the key of the Route that `label` (`route shop/web`) names."""
    return f"{ROUTE}{controller}/{label.partition(' ')[2]}"


def route_of_key(key: str) -> tuple[str, str]:
    """Give the controller and `namespace/name` that a Route's key names."""
    controller, _, name = key.removeprefix(ROUTE).partition("/")
    return controller, name


def _defaults(kind: type[RouteEntry | ShardEntry]) -> tuple[Any, ...]:
    """Give the defaults of all fields, and what equals nothing for those that have none."""
    return tuple(kind._field_defaults.get(name, object()) for name in kind._fields)


_ROUTE, _SHARD = _defaults(RouteEntry), _defaults(ShardEntry)


def written(entry: RouteEntry | ShardEntry) -> dict[str, Any]:
    """Give what `read_route` and `read_shard` take: the fields that differ from their defaults."""
    usual = _ROUTE if isinstance(entry, RouteEntry) else _SHARD
    return dict(compress(zip(entry._fields, entry, strict=True), map(ne, entry, usual)))


def read_route(value: dict[str, Any]) -> RouteEntry:
    """Rebuild a RouteEntry from what `written` gave and JSON carried."""
    return RouteEntry(**value)


def read_shard(value: dict[str, Any]) -> ShardEntry:
    """Rebuild a ShardEntry likewise."""
    return ShardEntry(**value)


def tls_of(shard: ShardEntry) -> TlsEntry:
    """Give how a controller ends TLS."""
    return TlsEntry(**(shard.tls or {}))


def heads_of(shard: ShardEntry) -> HeadsEntry:
    """Give what a controller does to heads."""
    return HeadsEntry(**(shard.heads or {}))


def limits_of(shard: ShardEntry) -> Limits:
    """Give the deadlines and caps of a controller's front ends."""
    return Limits(**shard.limits)


def listener_key(kind: str, controller: str, host: str, port: int) -> str:
    """Name a listener: `http apps 127.1.1.1:10080`."""
    shown = f"[{host}]" if ":" in host else host
    return f"{kind} {controller} {shown}:{port}"


def listener_of_key(key: str) -> tuple[str, str]:
    """Give the kind (http or https) and the controller that a listener's key names."""
    kind, controller, _ = key.split(" ", 2)
    return kind, controller
