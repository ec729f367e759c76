from __future__ import annotations

import pytest

from podway_proxy.process.readiness import Status, notes, why_not
from podway_proxy.process.spec import Compiled, ListenerSpec

WEB = ListenerSpec("tcp a:80", "127.0.0.1", 80)
TLS = ListenerSpec("tcp a:443", "127.0.0.1", 443)
LOADED = Compiled({}, listeners=(WEB, TLS))
SERVING = Status(serving=True)


def test_ready() -> None:
    assert why_not(LOADED, SERVING, 2) == ""
    assert why_not(Compiled({}), SERVING, 1) == ""


@pytest.mark.parametrize(
    ("compiled", "status", "workers", "reason"),
    [
        (LOADED, SERVING._replace(stopping=True), 2, "draining"),
        (None, SERVING, 2, "nothing has been loaded"),
        (Compiled({}, ready=False, why="no such zone"), SERVING, 2, "no such zone"),
        (Compiled({}, ready=False), SERVING, 2, "nothing to serve"),
        (LOADED, Status(), 2, "workers are starting"),
        (LOADED, SERVING, 0, "no worker"),
        (LOADED, SERVING._replace(missing={WEB.key: "taken", TLS.key: "taken"}), 2, "no listener"),
    ],
)
def test_the_reason_is_named(
    compiled: Compiled | None, status: Status, workers: int, reason: str
) -> None:
    assert reason in why_not(compiled, status, workers)


def test_one_listener_that_is_missing_is_a_note_and_no_reason() -> None:
    status = SERVING._replace(missing={WEB.key: "can't listen on 127.0.0.1:80/tcp: taken"})
    assert why_not(LOADED, status, 2) == ""
    assert notes(status) == "not bound: can't listen on 127.0.0.1:80/tcp: taken\n"
