"""`/metrics`: the counters of all workers, and what the loader knows of the processes.

prometheus_client is imported at the first scrape, by the loader only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.counters import BUCKET, SUM, is_gauge, split

if TYPE_CHECKING:
    from prometheus_client import Metric


Member = tuple[dict[str, str], float]
"""Labels and value."""
NANOSECONDS = 1e9
"""A second: sums of histograms are counted in whole nanoseconds."""


class Gauge(NamedTuple):
    """One value of the loader's own."""

    name: str
    """May carry labels: `process_cpu_seconds_total:process=worker 0`."""
    value: float
    help: str


def render(prefix: str, totals: Mapping[str, int], gauges: Iterable[Gauge]) -> bytes:
    """Give the page in Prometheus's text format; every metric's name begins with `prefix_`.

    Without a prefix they are as they are.
    """
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

    groups: dict[str, list[Member]] = {}
    for name, value in values.items():
        metric, labels = split(name)
        groups.setdefault(metric, []).append((labels, value))
    for metric, members in groups.items():
        if metric.endswith((BUCKET, SUM)):
            if metric.endswith(BUCKET):
                base = metric.removesuffix(BUCKET)
                yield _histogram(f"{prefix}_{base}", members, groups.get(base + SUM, ()))
            continue
        family = GaugeMetricFamily if is_gauge(metric) else CounterMetricFamily
        text = helps.get(metric, metric.replace("_", " "))
        keys = list(dict.fromkeys(key for labels, _ in members for key in labels))
        made = family(f"{prefix}_{metric}" if prefix else metric, text, labels=keys)
        for labels, value in members:
            made.add_metric([labels.get(key, "") for key in keys], value)
        yield made


def _histogram(name: str, buckets: Iterable[Member], sums: Iterable[Member]) -> Metric:
    """Add up the buckets, which count by themselves, as Prometheus wants them: all below too."""
    from prometheus_client.core import HistogramMetricFamily

    series: dict[tuple[tuple[str, str], ...], list[tuple[str, float]]] = {}
    for labels, value in buckets:
        key = tuple((label, text) for label, text in labels.items() if label != "le")
        below = series.setdefault(key, [])
        below.append((labels["le"], value + (below[-1][1] if below else 0.0)))
    totals = {tuple(labels.items()): value / NANOSECONDS for labels, value in sums}
    keys = [label for label, _ in next(iter(series), ())]
    made = HistogramMetricFamily(name, name.replace("_", " "), labels=keys)
    for key, counts in series.items():
        made.add_metric([text for _, text in key], counts, totals.get(key, 0.0))
    return made


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
