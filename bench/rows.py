"""What is measured: each row is one kind of work, in one mode of the proxies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from bench.loads import bulk, secure, single, wrk
from bench.measure import cpu, memory

Sample = dict[str, float]
"""`cpu`, `user`, `system`: processor time per unit of work; `rate`: units per second (or GB/s);
`p50`, `p99`: milliseconds. The idle row has fields of its own."""
GB = 1e9
MICRO = 1e6


class Scale(NamedTuple):
    """How much work a measurement is."""

    rounds: int
    idle_rounds: int
    seconds: int
    """Of each run of wrk."""
    bulk: int
    """Bytes of each of the few flows."""
    many: int
    """Bytes of each of the many flows."""
    flows: int
    idle: int
    asks: int
    """Requests of the connection that is active among the idle ones."""
    long: int
    """Bytes of the long answer over TLS."""


FULL = Scale(3, 1, 2, 500_000_000, 4_000_000, 500, 9_000, 3_000, 500_000_000)
QUICK = Scale(1, 1, 1, 100_000_000, 1_000_000, 500, 1_000, 1_000, 100_000_000)
TINY = Scale(1, 1, 1, 1_000_000, 100_000, 20, 20, 20, 1_000_000)
"""For the test of the plumbing."""
FEW = 4


class Subject(NamedTuple):
    """A proxy that runs: what its work is measured on."""

    pid: int
    web: int
    """Its port to the HTTP pod."""
    bulk: int
    """Its port to the source of bulk data."""
    secure: bool = False
    """The web port speaks TLS."""


class Row(NamedTuple):
    """One kind of work; less of `main` is better."""

    name: str
    title: str
    mode: str
    main: str
    unit: str
    measure: Callable[[Subject, Scale], Sample]
    goals: Mapping[str, float] = {}
    """Peer -> most that podway's figure may be of the peer's (issues 3 and 4)."""
    most: float | None = None
    """Most that podway's figure itself may be."""


def few_flows(subject: Subject, scale: Scale) -> Sample:
    """Four bulk flows from the pod to the client."""
    return _flows(subject, FEW, scale.bulk)


def many_flows(subject: Subject, scale: Scale) -> Sample:
    """Hundreds of them at once."""
    return _flows(subject, scale.flows, scale.many)


def _flows(subject: Subject, flows: int, size: int) -> Sample:
    before = cpu(subject.pid)
    seconds = bulk.take(subject.bulk, flows, size)
    moved = flows * size / GB
    return {**cpu(subject.pid).since(before).per(moved, 1.0), "rate": moved / seconds}


def kept(subject: Subject, scale: Scale) -> Sample:
    """Ask over 32 kept connections."""
    return _requests(subject, scale, close=False)


def closed(subject: Subject, scale: Scale) -> Sample:
    """Open a connection for each request, 32 at once."""
    return _requests(subject, scale, close=True)


def _requests(subject: Subject, scale: Scale, close: bool) -> Sample:
    before = cpu(subject.pid)
    scheme = "https" if subject.secure else "http"
    asked = wrk.ask(subject.web, scale.seconds, close, scheme)
    used = cpu(subject.pid).since(before).per(asked.requests, MICRO)
    rate = asked.requests / asked.seconds
    return {**used, "rate": rate, "p50": asked.p50, "p99": asked.p99}


def resumed(subject: Subject, scale: Scale) -> Sample:
    """Open a connection for each request, with the TLS session of the one before."""
    before = cpu(subject.pid)
    done = secure.resume(subject.web, scale.seconds)
    used = cpu(subject.pid).since(before).per(done.units, MICRO)
    return {**used, "rate": done.units / done.seconds}


def download(subject: Subject, scale: Scale) -> Sample:
    """Take one long answer over TLS."""
    before = cpu(subject.pid)
    done = secure.download(subject.web, scale.long)
    moved = done.units / GB
    return {**cpu(subject.pid).since(before).per(moved, 1.0), "rate": moved / done.seconds}


def idle(subject: Subject, scale: Scale) -> Sample:
    """Memory of idle connections, and what an active one feels of them."""
    alone = single.latencies(subject.web, scale.asks)
    before = memory(subject.pid)
    with single.held(subject.web, scale.idle):
        used = memory(subject.pid) - before
        among = single.latencies(subject.web, scale.asks)
    return {
        "kib": used / scale.idle / 1024,
        "base_mib": before / 2**20,
        "p50_alone": percentile(alone, 50),
        "p99_alone": percentile(alone, 99),
        "p50": percentile(among, 50),
        "p99": percentile(among, 99),
    }


def percentile(ordered: list[float], percent: int) -> float:
    """Give the value that so many per cent of the others do not exceed."""
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


BULK = "bulk"
"""How the names of the rows begin that use the bulk port."""
TLS = "tls"
EXTRA = "extras"
PER_GB = "CPU s per GB"
REQUEST = "CPU µs per request"
ROWS = (
    Row(BULK, "bulk, 4 flows", "tcp", "cpu", PER_GB, few_flows, {"haproxy": 0.6}),
    Row(f"{BULK}-500", "bulk, 500 flows at once", "tcp", "cpu", PER_GB, many_flows),
    Row(
        "tcp-close",
        "TCP, connection per request",
        "tcp",
        "cpu",
        REQUEST,
        closed,
        {"haproxy": 1.1},
    ),
    Row("tcp-kept", "TCP, keep-alive requests", "tcp", "cpu", REQUEST, kept, {"haproxy": 1.0}),
    Row("http-kept", "HTTP, keep-alive requests", "http", "cpu", REQUEST, kept, {"haproxy": 1.1}),
    Row(
        "http-close",
        "HTTP, connection per request",
        "http",
        "cpu",
        REQUEST,
        closed,
        {"haproxy": 0.75, "nginx": 1.3},
    ),
    Row(
        "http-extras",
        "HTTP, keep-alive, cookie, header actions",
        EXTRA,
        "cpu",
        REQUEST,
        kept,
        {"haproxy": 1.4},
    ),
    Row("tls-kept", "HTTPS, keep-alive requests", TLS, "cpu", REQUEST, kept, {"haproxy": 1.1}),
    Row("tls-full", "HTTPS, full handshake each", TLS, "cpu", REQUEST, closed, {"haproxy": 1.2}),
    Row("tls-resumed", "HTTPS, resumed each", TLS, "cpu", REQUEST, resumed, {"haproxy": 1.2}),
    Row("tls-bulk", "HTTPS, one long answer", TLS, "cpu", PER_GB, download, {"haproxy": 1.2}),
    Row("idle", "memory of an idle TCP connection", "tcp", "kib", "KiB", idle, most=4.0),
)
