from __future__ import annotations

import os

import pytest

from podway_proxy.process.held import Held, from_file, to_file
from podway_proxy.process.metrics import Gauge, process_gauges, render


def test_counters_and_gauges_become_metrics_with_labels() -> None:
    totals = {
        "refused_total:step=no-route": 3,
        "open": 2,
        "refused_total:step=no-sni": 4,
        "bytes_total": 2**60,
    }
    page = render("podway_lb", totals, [Gauge("ready", 1.0, "Ready or not.")]).decode()
    lines = page.splitlines()
    assert 'podway_lb_refused_total{step="no-route"} 3.0' in lines
    assert 'podway_lb_refused_total{step="no-sni"} 4.0' in lines
    assert page.count("# TYPE podway_lb_refused_total counter") == 1
    assert "# TYPE podway_lb_open gauge" in lines
    assert "podway_lb_bytes_total 1.152921504606847e+18" in lines
    assert "# HELP podway_lb_ready Ready or not." in lines


def test_buckets_and_sum_become_a_histogram() -> None:
    names = [f"wait_seconds_bucket:path=slow,le={bound}" for bound in ("0.001", "0.01", "+Inf")]
    totals = dict(zip(names, (5, 2, 1), strict=True)) | {"wait_seconds_sum:path=slow": 25 * 10**7}
    lines = render("podway_dns", totals, []).decode().splitlines()
    assert "# TYPE podway_dns_wait_seconds histogram" in lines
    for le, count in (("0.001", 5), ("0.01", 7), ("+Inf", 8)):
        assert f'podway_dns_wait_seconds_bucket{{le="{le}",path="slow"}} {count}.0' in lines
    assert 'podway_dns_wait_seconds_count{path="slow"} 8.0' in lines
    assert 'podway_dns_wait_seconds_sum{path="slow"} 0.25' in lines


def test_processes_show_what_they_use_and_one_that_ended_shows_nothing() -> None:
    gauges = {gauge.name: gauge.value for gauge in process_gauges({"me": os.getpid(), "x": 2**22})}
    assert gauges["process_resident_memory_bytes:process=me"] > 1_000_000
    assert gauges["process_open_fds:process=me"] >= 3
    assert not [name for name in gauges if name.endswith("=x")]


@pytest.mark.parametrize("app", [None, b"", b"bytes\nwith lines \x00"])
def test_what_a_loader_leaves_is_read_as_it_was(app: bytes | None) -> None:
    held = Held(app, {"down/127.0.0.1:80": "refused"})
    assert Held.unpack(from_file(to_file(held.pack()))) == held
