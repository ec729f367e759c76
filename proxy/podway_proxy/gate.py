"""The seam at which a request or connection is held back until an endpoint has room for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from podway_proxy.values import Endpoint

STEP = "queue"
"""The step that a refusal names when no endpoint had room in time."""


class Gate(Protocol):
    """One request's or connection's way through, in `Target.gate` or `Forward.gate`.

    It belongs to this one alone, and its owner's `on_open` and `on_close` tell it which endpoint is
    in use: a place counts from the candidate's being given until `on_close`, or until the next
    candidate is asked for.
    """

    def enter(
        self,
        candidates: Iterator[Endpoint],
        go: Callable[[Iterator[Endpoint]], None],
        fail: Callable[[str], None],
    ) -> Iterator[Endpoint] | None:
        """Give those of `candidates` that have room, each with its place taken as it is given.

        None: there is no room yet. Then `go` is called with them, or `fail` with the reason why
        the wait has ended, unless `cancel` is called before.
        """

    def cancel(self) -> None:
        """Stop waiting, and give back a place that was not used. May be called at any time."""
