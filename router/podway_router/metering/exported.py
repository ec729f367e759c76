"""The numbers of places as metrics: podway's own names, and those of the OpenShift router."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from podway_proxy.counters import Counters
from podway_proxy.process.metrics import Gauge
from podway_router.access import naming
from podway_router.entry import ROUTE, route_of_key
from podway_router.metering.columns import (
    CLASSES,
    CONNECT_FAILURES,
    CONNECT_TIME,
    CONNECTIONS,
    CUT,
    FRONTENDS,
    NEW,
    RECEIVED,
    RESPONSE_FAILURES,
    RESPONSE_TIME,
    RESPONSES,
    SENT,
    SERVERS,
)

OTHER = "other"
_MILLISECONDS = 1e6
"""Nanoseconds in one."""


def own(counters: Counters, places: Mapping[str, int], full: bool) -> Iterator[Gauge]:
    """Give `route_…` metrics; `full`: bytes and connections were counted, too."""
    for key in (*(name for name in places if name.startswith(ROUTE)), ""):
        controller, _, route = key.removeprefix(ROUTE).partition("/")
        namespace, _, name = route.partition("/")
        labels = f"controller={controller or OTHER},namespace={namespace or OTHER}"
        labels += f",route={name or OTHER}"
        yield from _own(counters.place_total(places.get(key, 0)), labels, full)


def _own(counts: Sequence[int], labels: str, full: bool) -> Iterator[Gauge]:
    for number, shown in enumerate(CLASSES, 1):
        name = f"route_requests_total:{labels},code={shown}"
        yield Gauge(name, counts[number], "Requests by Route and class of status.")
    name = f"route_requests_total:{labels},code=aborted"
    yield Gauge(name, counts[CUT], "Requests by Route and class of status.")
    yield Gauge(
        f"route_connect_failures_total:{labels}",
        counts[CONNECT_FAILURES],
        "Endpoints of a Route that could not be connected to.",
    )
    if counts[CONNECTIONS]:
        text = "Connections that were handed through, by Route."
        yield Gauge(f"route_connections_total:{labels}", counts[CONNECTIONS], text)
    if full or counts[CONNECTIONS]:
        for way, column in (("received", RECEIVED), ("sent", SENT)):
            name = f"route_bytes_total:{labels},direction={way}"
            yield Gauge(name, counts[column], "Bytes from and to clients, heads included.")


class OpenShift:
    """The OpenShift router's metrics (its pkg/router/metrics/haproxy), by its names."""

    def __init__(
        self,
        counters: Counters,
        places: Mapping[str, int],
        entries: Mapping[str, Any],
        down: Collection[str],
    ) -> None:
        """`down`: keys `down/<host>:<port>` of endpoints that fail their checks."""
        self._counters = counters
        self._places = places
        self._entries = entries
        self._down = down

    def gauges(self, reloads: Sequence[float]) -> Iterator[Gauge]:
        """Give them all; `reloads` are (how many, seconds of them all)."""
        yield Gauge("haproxy_up", 1.0, "Was the last scrape of haproxy successful.")
        yield Gauge("template_router_reload_failure", 0.0, "Status of the last reload.")
        text = "Time spent on taking over changed objects, in seconds."
        yield Gauge("template_router_reload_seconds_count", reloads[0], text)
        yield Gauge("template_router_reload_seconds_sum", reloads[1], text)
        yield from self._frontends()
        for key in self._places:
            if key.startswith(ROUTE) and key in self._entries:
                yield from self._backend(key)
        for key in self._places:
            if key.startswith(SERVERS):
                yield from self._server(key)

    def _frontends(self) -> Iterator[Gauge]:
        totals = self._counters.totals()
        shaken = sum(totals.get(f"tls_handshakes_total:resumed={one}", 0) for one in _TRUTHS)
        connections = {
            naming.PUBLIC: totals.get("http_connections_total", 0) - shaken,
            naming.PUBLIC_TLS: totals.get("tls_connections_total", 0),
            naming.SNI: shaken,
        }
        for key, place in self._places.items():
            if key.startswith(FRONTENDS):
                name = key.removeprefix(FRONTENDS)
                labels = f"frontend={name}"
                counts = self._counters.place_total(place)
                yield from _traffic("haproxy_frontend", counts, labels)
                if name in connections:
                    metric = f"haproxy_frontend_connections_total:{labels}"
                    yield Gauge(metric, connections[name], "Total number of connections.")

    def _backend(self, key: str) -> Iterator[Gauge]:
        entry = self._entries[key]
        _, name = route_of_key(key)
        namespace, _, route = name.partition("/")
        mode = naming.mode(entry.get("termination", ""))
        labels = f"backend={mode},namespace={namespace},route={route}"
        counts = self._counters.place_total(self._places[key])
        up = any(self._is_up(host, port) for host, port, *_ in entry.get("endpoints", ()))
        yield from _backend_like("haproxy_backend", counts, labels, up)

    def _server(self, key: str) -> Iterator[Gauge]:
        rest, _, address = key.removeprefix(SERVERS).rpartition("/")
        controller, _, name = rest.partition("/")
        namespace, _, route = name.partition("/")
        entry = self._entries.get(f"{ROUTE}{controller}/{name}", {})
        kind, *parts = (entry.get("servers") or {}).get(address, "").split(":")
        pod = parts[0] if kind == "pod" and parts else ""
        service = parts[1 if kind == "pod" else 0] if len(parts) > 1 else ""
        labels = f"server={address},namespace={namespace},route={route},pod={pod},service={service}"
        host, _, port = address.rpartition(":")
        counts = self._counters.place_total(self._places[key])
        yield from _backend_like("haproxy_server", counts, labels, self._is_up(host, port))

    def _is_up(self, host: str, port: int | str) -> bool:
        return f"down/{host}:{port}" not in self._down


_TRUTHS = ("true", "false")


def _traffic(metric: str, counts: Sequence[int], labels: str) -> Iterator[Gauge]:
    yield Gauge(f"{metric}_bytes_in_total:{labels}", counts[RECEIVED], "Bytes from clients.")
    yield Gauge(f"{metric}_bytes_out_total:{labels}", counts[SENT], "Bytes to clients.")
    for number, shown in enumerate((*CLASSES, "other"), 1):
        value = counts[CUT if shown == "other" else number]
        name = f"{metric}_http_responses_total:code={shown},{labels}"
        yield Gauge(name, value, "Total of HTTP responses.")


def _backend_like(metric: str, counts: Sequence[int], labels: str, up: bool) -> Iterator[Gauge]:
    yield from _traffic(metric, counts, labels)
    requests = sum(counts[CUT:RECEIVED])
    reused = max(requests - counts[NEW], 0)
    for name, value, text in (
        ("connections_total", requests + counts[CONNECTIONS], "Total number of connections."),
        ("connection_errors_total", counts[CONNECT_FAILURES], "Total of connection errors."),
        ("response_errors_total", counts[RESPONSE_FAILURES], "Total of response errors."),
        ("connections_reused_total", reused, "Total number of connections reused."),
        ("up", int(up), "Current health status (1 = UP, 0 = DOWN)."),
        (
            "http_average_response_latency_milliseconds",
            counts[RESPONSE_TIME] / max(counts[RESPONSES], 1) / _MILLISECONDS,
            "Average response latency since the start, in milliseconds.",
        ),
        (
            "http_average_connect_latency_milliseconds",
            counts[CONNECT_TIME] / max(counts[NEW], 1) / _MILLISECONDS,
            "Average connect latency since the start, in milliseconds.",
        ),
    ):
        yield Gauge(f"{metric}_{name}:{labels}", value, text)
