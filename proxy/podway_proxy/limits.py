"""Every deadline and cap of the plane in one table, with where its default comes from.

Seconds and bytes. The README shows this table; a test compares the two.
"""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Deadlines (seconds) and caps (bytes or counts) of one listener's connections."""

    hello_timeout: float = 5.0
    """A TLS ClientHello must be complete by then (IngressController tlsInspectDelay)."""
    hello_bytes: int = 16_384
    """The longest ClientHello read: one TLS record (RFC 8446 section 5.1)."""
    handshake_timeout: float = 10.0
    """A TLS handshake must be over by then, counted from its hello (HAProxy counts it into
    `timeout http-request`, 10 s as OpenShift sets it)."""
    proxy_timeout: float = 5.0
    """A PROXY header must be complete by then (the specification asks for at least 3 s)."""
    head_timeout: float = 10.0
    """An HTTP request head must be complete by then, counted from its first byte; a drip does not
    prolong it (HAProxy `timeout http-request` as OpenShift sets it)."""
    head_bytes: int = 24_576
    """Longest request or response head (headerBufferBytes 32768 less headerBufferMaxRewriteBytes
    8192)."""
    head_fields: int = 100
    """Most header fields in a head (Envoy's edge guidance; HAProxy has 101 lines)."""
    keepalive_timeout: float = 300.0
    """Between two requests of a client's connection (httpKeepAliveTimeout)."""
    client_timeout: float = 30.0
    """A client that neither sends nor reads while a request runs (clientTimeout)."""
    server_timeout: float = 30.0
    """An endpoint that neither sends nor reads while a request runs (serverTimeout)."""
    connect_timeout: float = 5.0
    """For all candidates of a connection together (connectTimeout)."""
    tunnel_timeout: float = 3600.0
    """A relay without a byte in either direction (tunnelTimeout)."""
    fin_timeout: float = 30.0
    """A relay of which one side has closed and nothing moves (half-closed work goes on as long as
    bytes do; OpenShift's 1 s cuts slow answers, so it is longer here)."""
    pool_idle_timeout: float = 30.0
    """A kept endpoint connection that no request used."""
    pool_per_endpoint: int = 64
    """Most kept idle connections per endpoint and worker."""
    max_connections: int = 50_000
    """Clients per daemon, over its workers (maxConnections)."""
    waiting_per_route: int = 4_096
    """Most that wait in one worker for room at one Route's endpoints (HAProxy bounds them by its
    connections alone); each for connect_timeout at most (HAProxy's default of `timeout queue`)."""
    counted_clients: int = 131_072
    """Most clients and endpoints that a worker counts for limits per daemon (OpenShift's
    stick-tables hold 100k each)."""
    tail_bytes: int = 262_144
    """Most bytes kept for a peer that does not read, per direction, outside the kernel."""
    accept_batch: int = 64
    """Connections accepted per wake-up of a listener before others get their turn."""
    turn_bytes: int = 4_194_304
    """Bytes a flow moves before others get their turn."""
    pipe_bytes: int = 1_048_576
    """Size of a splice pipe (fs.pipe-max-size)."""
    pipes_per_daemon: int = 48
    """Pipes per daemon: an unprivileged user has 64 of 1 MiB (fs.pipe-user-pages-soft)."""


DEFAULT = Limits()
