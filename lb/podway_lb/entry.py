"""What the loader compiles and the workers read: plain values that JSON carries.

Keys: `service/<namespace>/<name>/<port>` for a `ServiceEntry`, `down/<host>:<port>` for an
endpoint that fails its checks (the prober's).
"""

from __future__ import annotations

from typing import Any, NamedTuple

SERVICE = "service/"


class ServiceEntry(NamedTuple):
    """One port of one Service."""

    listeners: list[str]
    """Keys of the listeners that serve it."""
    endpoints: list[tuple[str, int, str]]
    """(host, port, name) of each ready endpoint."""
    policy: str
    """leastconn, or source with ClientIP affinity."""
    proxy: bool
    """Announce the client with PROXY v2."""
    ranges: list[str] | None
    """CIDRs of the clients that may connect; None: all."""
    why: str = ""
    """Why there are no endpoints."""


def service_key(namespace: str, name: str, port: str) -> str:
    """Give the key of a Service port's entry; `port` is its name, else its number."""
    return f"{SERVICE}{namespace}/{name}/{port}"


def label_of_key(key: str) -> str:
    """Give what people call it: `service openshift-ingress/router-apps http`."""
    namespace, name, port = key.removeprefix(SERVICE).split("/", 2)
    return f"service {namespace}/{name} {port}"


def read(value: dict[str, Any]) -> ServiceEntry:
    """Rebuild a ServiceEntry from what `_asdict` gave and JSON carried."""
    return ServiceEntry(**value)
