"""Names as the OpenShift router's log lines and metrics have them. Pure."""

from __future__ import annotations

from podway_proxy.values import Endpoint
from podway_router.entry import RouteEntry

PUBLIC = "public"
"""The HTTP port's frontend."""
PUBLIC_TLS = "public_ssl"
"""The HTTPS port's: what is handed through, or ends before its TLS does."""
SNI = "fe_sni"
"""Requests inside TLS that ended here, and whose hello named a server."""
NO_SNI = "fe_no_sni"
NOWHERE = "openshift_default"
"""The backend of requests that no Route serves."""
NO_SERVER = "<NOSRV>"
_PREFIXES = {
    "": "be_http",
    "edge": "be_edge_http",
    "reencrypt": "be_secure",
    "passthrough": "be_tcp",
}
_MODES = {"": "http", "edge": "https-edge", "reencrypt": "https", "passthrough": "tcp"}


def backend(termination: str, name: str) -> str:
    """Name a Route's backend: `be_edge_http:shop:web` for `shop/web`."""
    return f"{_PREFIXES[termination]}:{name.replace('/', ':', 1)}"


def mode(termination: str) -> str:
    """Give the label `backend` of OpenShift's metrics."""
    return _MODES[termination]


def server(entry: RouteEntry | None, endpoint: Endpoint) -> str:
    """Name an endpoint: `pod:web-1:web:http:10.128.2.12:8080`, or as much of it as is known."""
    address = f"{endpoint.host}:{endpoint.port}"
    known = (entry.servers or {}).get(address) if entry is not None else None
    return known or (f"pod:{endpoint.name}:::{address}" if endpoint.name else f"ept:::{address}")


def server_name(pod: str, service: str, port: str, address: str) -> str:
    """Name an endpoint whose Pod (may be empty), Service and port are known."""
    return f"pod:{pod}:{service}:{port}:{address}" if pod else f"ept:{service}:{port}:{address}"
