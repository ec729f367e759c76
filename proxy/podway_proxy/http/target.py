"""Where one request goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from podway_proxy.values import Endpoint

if TYPE_CHECKING:
    from podway_proxy.gate import Gate
    from podway_proxy.http.extras import Extras
    from podway_proxy.http.secure import Wire


class Pick(Protocol):
    """Chooses an endpoint without an iterator."""

    def first(self, client: str) -> Endpoint | None:
        """Give what `choose` would give first; None, and nothing has happened: ask `choose`."""

    @property
    def others(self) -> Callable[[Endpoint, str], Iterator[Endpoint]]:
        """Gives what `choose` would give behind the first one, for (that one, client)."""


@dataclass(slots=True)
class Target:
    """Carry a request to the first of `candidates` that takes it. Times are in seconds.

    Not changed after it is made, so that one may serve many requests; `frozen` would cost 1 us
    where one is made for each.
    """

    candidates: Iterable[Endpoint] = ()
    """In the order in which to try them; iterated once for each request, lazily."""
    label: str = ""
    """What chose it, for the log: `route shop/web`."""
    forwarded: str = "append"
    """The policy of the forwarded fields: append, replace, if-none, never."""
    proto: str = "http"
    """What the client spoke, for X-Forwarded-Proto: http or https."""
    server_timeout: float = 30.0
    """An endpoint that neither sends nor reads (serverTimeout)."""
    tunnel_timeout: float = 3600.0
    """An upgraded connection without a byte in either direction (tunnelTimeout)."""
    connect_timeout: float = 5.0
    """For all candidates together (connectTimeout)."""
    on_open: Callable[[Endpoint], None] | None = None
    """Called when an endpoint is given this request (leastconn counts)."""
    on_close: Callable[[Endpoint], None] | None = None
    """Called once for every `on_open`, when the endpoint is done with the request."""
    on_failure: Callable[[Endpoint, str], None] | None = None
    """Called for every candidate that could not be reached, with the reason."""
    wire: Wire | None = None
    """How endpoints are spoken to inside TLS (reencrypt); None: in plain TCP."""
    choose: Callable[[str], Iterator[Endpoint]] | None = None
    """In place of `candidates`, for a target of many requests: gives them for one, by the client's
    IP address."""
    pick: Pick | None = None
    """The same one by one, for the usual requests of a host that has no other target; None: they
    take the same way as all others."""
    counts: memoryview | None = None
    """Numbers of its own: one more in the place of the status's class, 1 to 5, for each answer; in
    place 0 for each that the client did not get whole."""
    extras: Extras | None = None
    gate: Gate | None = None
    """Holds this one request back until an endpoint has room; then the target is its alone."""
