from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from podway_proxy.counters import Counters
from podway_proxy.log import Log, Style
from podway_proxy.plane.plane import Plane
from podway_proxy.restraint import Restraint
from podway_proxy.values import Endpoint
from podway_router.account import COUNTERS, Account
from podway_router.decide import Miss, Tables
from podway_router.entry import RouteEntry

TABLES = Tables([("route/apps/shop/web", RouteEntry("web.t", "/", "", "", [], "random"))])


class Desk:
    """An account that writes to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.counters = Counters(names=COUNTERS)
        log = Log("podway-router", "apps", "worker 0", Style("json"), self.fd)
        self.restraint = Restraint(Plane(), log)
        self.account = Account(self.restraint, self.counters)

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "log")
    yield made
    os.close(made.fd)


def test_a_refused_host_is_counted_each_time_and_logged_once(desk: Desk) -> None:
    miss = Miss("no-route", "no route has the host wep.t")
    for _ in range(3):
        desk.account.missed(miss, "wep.t", "192.0.2.1", TABLES)
    (line,) = desk.lines()
    assert (line["detail"], line["client"]) == ("nearest: web.t", "192.0.2.1")
    assert desk.counters.totals()["refused_total:step=no-route"] == 3
    desk.account.forget_misses()
    desk.account.missed(miss, "wep.t", "192.0.2.1", TABLES)
    assert len(desk.lines()) == 2


def test_strangers_guesses_do_not_fill_the_log(desk: Desk) -> None:
    for number in range(1500):
        desk.account.missed(Miss("no-route", "?"), f"{number}.t", "192.0.2.1", TABLES)
        if number % 5 == 4:
            desk.restraint.on_deadline()  # a second has passed
    assert len(desk.lines()) == 1000


def test_a_burst_of_guesses_is_summed_up(desk: Desk) -> None:
    for number in range(1500):
        desk.account.missed(Miss("no-route", "?"), f"{number}.t", "192.0.2.1", TABLES)
    desk.restraint.on_deadline()
    assert len(desk.lines()) == 11
    assert desk.lines()[-1]["event"] == "990 more not shown"
    assert desk.counters.totals()["refused_total:step=no-route"] == 1500


def test_a_failed_connect_names_route_and_endpoint(desk: Desk) -> None:
    desk.account.connect_failed("route shop/web", Endpoint("127.0.0.1", 80, "web-1"), "refused")
    (line,) = desk.lines()
    assert (line["by"], line["endpoint"]) == ("route shop/web", "127.0.0.1:80 (web-1)")
    assert desk.counters.totals()["connect_failures_total"] == 1


def test_a_name_that_is_no_counter_is_not_counted(desk: Desk) -> None:
    desk.account.count("something_else")
    assert set(desk.counters.totals()) == set(COUNTERS)
