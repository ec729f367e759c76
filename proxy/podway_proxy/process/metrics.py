"""`/metrics`: the counters of all workers, and what the loader knows of the processes.

prometheus_client is imported at the first scrape, by the loader only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.counters import is_gauge, split

if TYPE_CHECKING:
    from prometheus_client import Metric


class Gauge(NamedTuple):
    """One value of the loader's own."""

    name: str
    """May carry labels: `process_cpu_seconds_total:process=worker 0`."""
    value: float
    help: str


def render(prefix: str, totals: Mapping[str, int], gauges: Iterable[Gauge]) -> bytes:
    """Give the page in Prometheus's text format; every metric's name begins with `prefix_`."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    values = {name: float(value) for name, value in totals.items()}
    helps = {split(gauge.name)[0]: gauge.help for gauge in gauges}
    values |= {gauge.name: gauge.value for gauge in gauges}

    class Page(Collector):
        def collect(self) -> Iterator[Metric]:
            return _families(prefix, values, helps)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Page())
    return generate_latest(registry)


def _families(
    prefix: str, values: Mapping[str, float], helps: Mapping[str, str]
) -> Iterator[Metric]:
    """Group the values of one metric, whatever order they come in."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    groups: dict[str, list[tuple[dict[str, str], float]]] = {}
    for name, value in values.items():
        metric, labels = split(name)
        groups.setdefault(metric, []).append((labels, value))
    for metric, members in groups.items():
        family = GaugeMetricFamily if is_gauge(metric) else CounterMetricFamily
        text = helps.get(metric, metric.replace("_", " "))
        keys = list(dict.fromkeys(key for labels, _ in members for key in labels))
        made = family(f"{prefix}_{metric}", text, labels=keys)
        for labels, value in members:
            made.add_metric([labels.get(key, "") for key in keys], value)
        yield made


def process_gauges(pids: Mapping[str, int]) -> Iterator[Gauge]:
    """Give CPU time, memory and descriptors of processes by their role; none for one that ended."""
    for role, pid in pids.items():
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            continue
        # proc(5): utime and stime are fields 14 and 15, rss is 24; the split begins at field 3.
        ticks = int(fields[11]) + int(fields[12])
        resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        label = f":process={role}"
        yield Gauge(
            f"process_cpu_seconds_total{label}",
            ticks / os.sysconf("SC_CLK_TCK"),
            "User and system CPU time.",
        )
        yield Gauge(f"process_resident_memory_bytes{label}", resident, "Resident memory.")
        yield Gauge(f"process_open_fds{label}", descriptors, "Open file descriptors.")
