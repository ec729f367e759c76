"""Connections that are handed through, told in a request's words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from podway_proxy.http.access import ABORTED, AccessRecord, Watched
from podway_proxy.values import Arrival, Endpoint
from podway_router.access.facts import NONE

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane
    from podway_proxy.plane.tunnel import Closed

_ENDS = {"client-reset": "CD", "server-reset": "SD", "idle": "cD", "half-closed": "cD"}
_REFUSED = {"no-endpoint": "SC", "no-service": "SC", "connect": "SC", "queue": "sQ"}
NEVER = -1.0

Opened = Callable[[Endpoint], None]


class Tunnels:
    """Keeps the times of those that are open; nothing of them while nobody logs."""

    __slots__ = ("_plane", "_times")

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._times: dict[int, tuple[float, float]] = {}
        """By the identity of the arrival, which lasts as long as its connection: when it was
        decided whereto it goes, and when an endpoint had accepted it."""

    def watching(self, arrival: Arrival, opened: Opened) -> Opened:
        """Note that a connection goes somewhere; give what is to be told when it is there."""
        self._times[id(arrival)] = (self._plane.now, NEVER)
        return partial(self._reached, arrival, opened)

    def ended(self, closed: Closed) -> AccessRecord:
        """Tell how a connection ended, and forget it."""
        now = self._plane.now
        began, connected = self._times.pop(id(closed.arrival), (now, NEVER))
        reached = closed.endpoint is not None
        watched = Watched(
            began,
            began,
            began,
            now,
            0.0 if closed.label else NEVER,
            connected - began if connected >= 0 else NEVER,
            received=closed.to_server,
            sent=closed.to_client,
            state=_state(closed),
        )
        refused = closed.refused
        step = refused.step if refused is not None else ABORTED if watched.state != NONE else ""
        return AccessRecord(
            closed.arrival.client,
            None,
            0,
            step,
            refused.reason if refused is not None else "",
            closed.label,
            closed.endpoint,
            now - began,
            int(reached),
            closed.arrival,
            watched,
        )

    def forget(self, closed: Closed) -> None:
        """Know nothing of it any more."""
        if self._times:
            self._times.pop(id(closed.arrival), None)

    def _reached(self, arrival: Arrival, opened: Opened, endpoint: Endpoint) -> None:
        began, _ = self._times.get(id(arrival), (self._plane.now, NEVER))
        self._times[id(arrival)] = (began, self._plane.now)
        opened(endpoint)


def _state(closed: Closed) -> str:
    """Give HAProxy's termination state."""
    if closed.refused is not None:
        return _REFUSED.get(closed.refused.step, "PR")
    if closed.endpoint is None and closed.how != "done":
        return "CC"
    return _ENDS.get(closed.how, NONE)
