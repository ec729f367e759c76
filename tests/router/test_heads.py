"""What Routes and controllers ask to be done to heads, as entries have it."""

from __future__ import annotations

import json

from cluster_reading import good

from podway_router import wishes
from podway_router.entry import HeadsEntry
from podway_router.heads import of_controller, of_route
from podway_router.unique_id import FORMAT

ROUTE = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: a, namespace: b}
spec: {path: /sub, to: {name: c}, httpHeaders: {actions: %s}}
"""
CONTROLLER = """
apiVersion: operator.openshift.io/v1
kind: IngressController
metadata: {name: a, namespace: b}
spec: {tuningOptions: {headerBufferBytes: 20000}, httpHeaders: %s}
"""
ACTIONS = """{
  request: [
    {name: X-A, action: {type: Set, set: {value: '%[req.hdr(B)]'}}},
    {name: Connection, action: {type: Delete}},
    {name: X-C, action: {type: Delete}},
  ],
  response: [{name: content-length, action: {type: Set, set: {value: '1'}}}],
}"""


def test_of_a_route() -> None:
    route = good(ROUTE % ACTIONS)
    wished = wishes.Wishes(hsts="max-age=1", rewrite="/", adjusts_case=True)
    fields, faults = of_route(route, wished)
    assert fields == {
        "request_actions": [["X-A", "%[req.hdr(B)]"], ["X-C"]],
        "response_actions": None,
        "hsts": "max-age=1",
        "rewrite": ["/sub", "/"],
        "adjusts_case": True,
    }
    assert [field for field, _ in faults] == [
        "spec.httpHeaders.actions.request[1]",
        "spec.httpHeaders.actions.response[0]",
    ]
    assert all("the action is left out" in message for _, message in faults)


def test_a_route_that_asks_for_nothing() -> None:
    fields, faults = of_route(good(ROUTE % "{}"), wishes.Wishes())
    assert not any(fields.values())
    assert faults == []


def test_of_a_controller() -> None:
    headers = (
        "{uniqueId: {name: X-Id, format: '%ci'}, headerNameCaseAdjustments: [X-Own], "
        f"actions: {ACTIONS}}}"
    )
    entry, faults = of_controller(good(CONTROLLER % headers))
    assert entry == HeadsEntry(
        most=20_000,
        request_actions=[["X-A", "%[req.hdr(B)]"], ["X-C"]],
        unique_id="X-Id",
        unique_id_format="%ci",
        names=["X-Own"],
    )
    assert len(faults) == 2
    assert HeadsEntry(**json.loads(json.dumps(entry._asdict()))) == entry


def test_formats_that_can_not_be_used_are_said() -> None:
    unknown = good(CONTROLLER % "{uniqueId: {name: X-Id, format: '%zz'}}")
    entry, ((field, message),) = of_controller(unknown)
    assert (entry.unique_id, entry.unique_id_format) == ("X-Id", "")
    assert field == "spec.httpHeaders.uniqueId.format"
    assert "%zz is not known here: use %ci, %cp" in message
    assert message.endswith(f"{FORMAT!r} is used instead")
    entry, ((_, message),) = of_controller(good(CONTROLLER % "{uniqueId: {format: '%ci'}}"))
    assert entry.unique_id == ""
    assert "has no effect without" in message
