"""Read `spec.tuningOptions` of an IngressController."""

from __future__ import annotations

from ..model.controller import TuningOptions
from ..parse.fields import Fields

_DEFAULT = TuningOptions()
_LEAST_BUFFER = 16_384
_LEAST_REWRITE = 4_096
_MOST_BYTES = 2**31 - 1
_MOST_CONNECTIONS = 2_000_000
_TIMES = {
    "client_timeout": "clientTimeout",
    "client_fin_timeout": "clientFinTimeout",
    "server_timeout": "serverTimeout",
    "server_fin_timeout": "serverFinTimeout",
    "tunnel_timeout": "tunnelTimeout",
    "connect_timeout": "connectTimeout",
    "http_keep_alive_timeout": "httpKeepAliveTimeout",
    "tls_inspect_delay": "tlsInspectDelay",
    "health_check_interval": "healthCheckInterval",
    "reload_interval": "reloadInterval",
}


def tuning_options(options: Fields) -> TuningOptions:
    """Read the options; the defaults are those of operator.openshift.io/v1."""
    if not options:
        return _DEFAULT
    times = {name: _time(options, key, name) for name, key in _TIMES.items()}
    return TuningOptions(
        thread_count=options.number("threadCount", 0, 1, 64),
        header_buffer_bytes=_bytes(options, "headerBufferBytes", 32_768, _LEAST_BUFFER),
        header_buffer_max_rewrite_bytes=_bytes(
            options, "headerBufferMaxRewriteBytes", 8_192, _LEAST_REWRITE
        ),
        max_connections=_connections(options),
        **times,
    )


def _time(options: Fields, key: str, name: str) -> float:
    """Read a time; 0 stands for the default, as in the API."""
    default: float = getattr(_DEFAULT, name)
    return options.duration(key, default) or default


def _bytes(options: Fields, key: str, default: int, least: int) -> int:
    """Read a size; 0 stands for the default, as in the API."""
    if options.is_zero(key):
        return default
    return options.number(key, default, least, _MOST_BYTES)


def _connections(options: Fields) -> int:
    """Read maxConnections: 0 stands for 50000, -1 for what the descriptor limit allows."""
    found = options.number("maxConnections", 0, -1, _MOST_CONNECTIONS)
    if 0 < found < 2_000:
        options.problem("maxConnections", f"{found} is too few: use 2000 or more, 0 or -1")
    return found or _DEFAULT.max_connections
