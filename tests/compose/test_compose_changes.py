"""A stopped router, a killed load balancer, a changed file: what clients notice of it."""

from __future__ import annotations

import http.client
import time
from collections import Counter

import pytest
from compose_lab import LB_A, LB_B, Lab, Say
from compose_traffic import Address, traffic

pytestmark = pytest.mark.compose

WEB = "web.apps.lab.example.test"
EFFECT_SECONDS = 20.0


def ask(lab: Lab, balancer: str, host: str) -> int:
    connection = http.client.HTTPConnection(balancer, lab.http, timeout=10)
    connection.request("GET", "/", headers={"Host": host, "Connection": "close"})
    with connection.getresponse() as answer:
        return answer.status


def test_no_request_fails_when_a_router_is_stopped_and_started(lab: Lab, say: Say) -> None:
    with traffic([Address(LB_A, lab.http, WEB)]) as seen:
        seen.wait_for_more(100)
        lab.call("stop", "router-a")
        seen.wait_for_more(100)
        lab.call("start", "router-a")
        lab.wait_healthy("router-a")
        seen.wait_for_more(100)
    failed = len(seen.failures)
    say(f"a router stopped and started: {seen.total} requests answered, {failed} failed")
    assert seen.failures == []


def test_clients_go_on_through_the_other_load_balancer(lab: Lab, say: Say) -> None:
    both = [Address(LB_A, lab.http, WEB), Address(LB_B, lab.http, WEB)]
    with traffic(both, fresh=3, kept=0) as seen:
        seen.wait_for_more(100)
        assert seen.answered[LB_A]
        lab.call("kill", "lb-a")
        seen.wait_for_more(100)
        before = seen.answered[LB_B]
        seen.wait_for_more(100)
        assert seen.answered[LB_B] > before
    answered = ", ".join(f"{count} by {address}" for address, count in seen.answered.items())
    say(f"a load balancer killed: {answered}; {len(seen.passed_over)} requests were sent again")
    assert seen.failures == []
    lab.call("start", "lb-a")
    lab.wait_healthy("lb-a")
    assert ask(lab, LB_A, WEB) == 200


def answers(lab: Lab, host: str) -> Counter[tuple[str, int]]:
    """Ask through both load balancers, often enough to meet both routers."""
    places = [balancer for balancer in (LB_A, LB_B) for _ in range(4)]
    return Counter((balancer, ask(lab, balancer, host)) for balancer in places)


def good(seen: Counter[tuple[str, int]]) -> bool:
    return {status for _, status in seen} == {200}


def wait_for_answers(lab: Lab, host: str) -> float:
    """Wait until nobody who asks for `host` is refused; give the seconds."""
    begun = time.monotonic()
    while not good(seen := answers(lab, host)):
        if time.monotonic() > begun + EFFECT_SECONDS:
            said = lab.call("logs", "--tail", "20", "router-a", "router-b")
            pytest.fail(f"{host}: {seen}\n{said}")
        time.sleep(0.02)
    return time.monotonic() - begun


def test_a_changed_file_takes_effect(lab: Lab, say: Say) -> None:
    file = lab.directory / "manifests" / "apps" / "1-webapp.yaml"
    moved = "moved.apps.lab.example.test"
    assert ask(lab, LB_A, moved) == 503
    before = file.read_text()
    file.write_text(before.replace(f"host: {WEB}", f"host: {moved}"))
    took = wait_for_answers(lab, moved)
    say(f"a changed file was in effect after {took * 1000:.0f} ms")
    file.write_text(before)
    wait_for_answers(lab, WEB)
