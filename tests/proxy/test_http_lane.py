from __future__ import annotations

from typing import Any

import pytest

from podway_proxy.balance.balancer import InOrder
from podway_proxy.http import lane
from podway_proxy.http.extras import Extras
from podway_proxy.http.head import read_head
from podway_proxy.http.lane import Lanes
from podway_proxy.http.request import Request
from podway_proxy.http.target import Target
from podway_proxy.limits import DEFAULT
from podway_proxy.values import Arrival, Endpoint

ARRIVAL = Arrival(("127.0.0.1", 1), ("127.0.0.1", 80), ("127.0.0.1", 1))
PICK = InOrder([Endpoint("127.0.0.1", 8080)])


def request(host: str = "a") -> Request:
    made = read_head(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert isinstance(made, Request)
    return made


def learnt(lanes: Lanes, settled: bool = True, host: str = "a", **target: Any) -> bool:
    made = request(host)
    fields = {"pick": PICK, **target}
    lanes.learn(made, ARRIVAL, Target(**fields), lambda *_: settled, DEFAULT)
    return made.named in lanes.by_host


def test_a_lane_is_what_its_target_says() -> None:
    lanes = Lanes()
    assert learnt(lanes, host="a:80", server_timeout=7.0)
    found = lanes.by_host[b"a:80"]
    assert found.line == b"\nHost: a:80\r\n"
    assert found.patience == 7.0
    assert found.first("127.0.0.1") == Endpoint("127.0.0.1", 8080)


@pytest.mark.parametrize(
    "unusual",
    [
        {"pick": None},
        {"forwarded": "never"},
        {"extras": Extras()},
        {"gate": object()},
        {"wire": object()},
    ],
)
def test_a_target_that_asks_for_more_has_no_lane(unusual: dict[str, Any]) -> None:
    assert not learnt(Lanes(), **unusual)


def test_a_host_that_is_not_settled_is_asked_about_once() -> None:
    lanes = Lanes()
    assert not learnt(lanes, settled=False)
    assert not learnt(lanes, settled=True)
    lanes.forget()
    assert learnt(lanes)
    lanes.forget()
    assert not lanes.by_host


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "MOST", 3)
    lanes = Lanes()
    for number in range(10):
        assert learnt(lanes, host=f"h{number}")
        assert len(lanes.by_host) <= 3


def test_a_host_that_this_connection_may_not_settle_is_asked_about_again() -> None:
    lanes = Lanes()
    lanes.learn(request(), ARRIVAL, Target(pick=PICK), lambda *_: None, DEFAULT)
    assert not lanes.by_host
    assert learnt(lanes)
