"""How busy each endpoint is: one count per worker, shared by all its balancers."""

from __future__ import annotations

from podway_proxy.values import Address, Endpoint


class Load:
    """Active connections per endpoint, over all routes and services of this worker.

    Two routes that name the same address share its count. An idle endpoint takes no memory.
    """

    __slots__ = ("_active", "active_at")

    def __init__(self) -> None:
        self._active: dict[Address, int] = {}
        self.active_at = self._active.get
        """Bound once: `active_at(address, 0)` is the whole cost of a look-up."""

    def active(self, endpoint: Endpoint) -> int:
        """Give how many connections to the endpoint are open."""
        return self._active.get((endpoint.host, endpoint.port), 0)

    def began(self, endpoint: Endpoint) -> None:
        """Count a connection that was opened (Forward.on_open)."""
        address = (endpoint.host, endpoint.port)
        self._active[address] = self._active.get(address, 0) + 1

    def ended(self, endpoint: Endpoint) -> None:
        """Count a connection that has ended (Forward.on_close). KeyError: it never began."""
        address = (endpoint.host, endpoint.port)
        left = self._active[address] - 1
        if left:
            self._active[address] = left
        else:
            del self._active[address]
