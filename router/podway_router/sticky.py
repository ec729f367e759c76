"""The cookie that brings a client back to its pod: OpenShift's rules for it. Pure.

The template's `cookie <name> insert indirect nocache httponly`: every answer to a client that did
not show a valid one sets it; pods see it neither in requests nor can they set it themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.balance.up import alive
from podway_proxy.http.cookies import sent, set_line, spelt, storable, without, without_set
from podway_proxy.values import Address, Endpoint

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_proxy.http.response import Response
    from podway_proxy.http.target import Pick
    from podway_proxy.values import Arrival
    from podway_router.entry import RouteEntry

Anyone = Callable[[str], Iterator[Endpoint]]
"""A client's IP address → the endpoints for a client without a cookie, in order."""
_PRIVATE = b"Cache-Control: private\r\n"


def no_endpoints(client: str) -> Iterator[Endpoint]:
    """Give nobody, whoever the client is."""
    return iter(())


class Others(NamedTuple):
    """The endpoints for clients without a cookie."""

    anyone: Anyone = no_endpoints
    pick: Pick | None = None
    """The same one by one."""
    down: Collection[Address] = ()
    """Those that fail their checks: no cookie leads there."""


NOBODY = Others()


def usual_name(namespace: str, name: str) -> str:
    """Give the name of a Route's cookie where its annotations give none.

    It is the OpenShift router's very own (`RoutingKeyName`), space included, so that clients keep
    one cookie when one router takes the place of the other.
    """
    from hashlib import md5  # not every process that imports this module asks for names

    return md5(f" {namespace}:{name}".encode(), usedforsecurity=False).hexdigest()


def value_of(namespace: str, endpoint: Endpoint) -> bytes:
    """Give what stands for an endpoint in cookies: the same in all workers, daemons and reloads.

    Routes of one namespace that share a cookie's name and a Service share their clients' pods, as
    in OpenShift. The address can't be read from it.
    """
    from hashlib import blake2b  # 1.5 ms of every worker's start: asked for with the first request

    host, port, name = endpoint
    text = f"{namespace}/{name} {host} {port}"
    return blake2b(text.encode(), digest_size=16).hexdigest().encode()


def reachable(entry: RouteEntry, down: Collection[Address]) -> list[Endpoint]:
    """Give the endpoints that a cookie may lead to: all that are up, whatever their weight."""
    chosen = [(Endpoint(host, port, name), weight) for host, port, name, weight in entry.endpoints]
    kept = [Endpoint(host, port, name) for host, port, name, _ in entry.kept or ()]
    up = [endpoint for endpoint, _ in alive(chosen, down)]
    return up + [endpoint for endpoint in kept if endpoint.address not in down]


class Sticky:
    """One Route's cookie, with the endpoints that it may lead to now."""

    __slots__ = ("_begins", "_endpoints", "_lines", "_others")

    def __init__(self, namespace: str, entry: RouteEntry, others: Others = NOBODY) -> None:
        self._begins = (entry.cookie or "").encode() + b"="
        self._others = others
        secure = f"; Secure; SameSite={entry.same_site}" if entry.same_site else ""
        attributes = b"; path=/; HttpOnly" + secure.encode()
        self._endpoints: dict[bytes, Endpoint] = {}
        """By the cookie's value."""
        self._lines: dict[Address, tuple[bytes, bytes]] = {}
        """The cookie as clients show it, and the line that sets it."""
        for endpoint in reachable(entry, others.down):
            value = value_of(namespace, endpoint)
            line = set_line(self._begins, value, attributes)
            self._endpoints[value] = endpoint
            self._lines[endpoint.address] = self._begins + value, line

    def holds(self, asked: bytes) -> Endpoint | None:
        """Give the endpoint that a request's cookie names; of several cookies the first valid."""
        if self._begins not in asked:
            return None
        endpoint = self._endpoints.get(spelt(asked, self._begins))
        if endpoint is not None:
            return endpoint
        for value in sent(asked, self._begins):
            endpoint = self._endpoints.get(value)
            if endpoint is not None:
                return endpoint
        return None

    # ---- any request ------------------------------------------------------------------------

    def choose(self, request: Request, arrival: Arrival) -> Iterator[Endpoint]:
        """Give the client's own endpoint, should that fail the others; a new client any."""
        own = self.holds(request.head)
        if own is None:
            return self._others.anyone(arrival.client[0])
        return chain((own,), self._but(own, arrival.client[0]))

    def outgoing(self, request: Request, arrival: Arrival, head: bytes) -> bytes:
        """Take the cookie out, valid or not."""
        return without(head, self._begins)

    def incoming(
        self,
        request: Request,
        arrival: Arrival,
        response: Response,
        endpoint: Endpoint | None,
        head: bytes,
    ) -> bytes:
        """Set the cookie unless the client has shown the right one."""
        if endpoint is None:
            return head
        return self.coming(request.head, endpoint, response.status, head, len(head))

    # ---- usual requests ---------------------------------------------------------------------

    def first(self, asked: bytes, client: str) -> Endpoint | None:
        """Give what `choose` gives first; None: that takes more of a look."""
        own = self.holds(asked)
        if own is not None or self._others.pick is None:
            return own
        return self._others.pick.first(client)

    def others(self, asked: bytes, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give what `choose` gives behind the first one."""
        if self._others.pick is None or self.holds(asked) is not None:
            return self._but(first, client)
        return self._others.pick.others(first, client)

    def leaving(self, head: bytes) -> bytes:
        """Do what `outgoing` does."""
        return without(head, self._begins)

    def coming(
        self, asked: bytes, endpoint: Endpoint, status: int, answer: bytes, end: int
    ) -> bytes:
        """Do what `incoming` does to the head in `answer[:end]`."""
        if answer.find(self._begins, 0, end) >= 0:
            head = without_set(answer[:end], self._begins)
            answer = head + answer[end:]
            end = len(head)
        known = self._lines.get(endpoint[:2])
        if known is None:
            return answer
        pair, line = known
        if pair in asked:
            own = self.holds(asked)
            if own is not None and own[:2] == endpoint[:2]:
                return answer
        if status >= 200 and storable(asked.partition(b" ")[0], status, answer[:end]):
            line += _PRIVATE
        return b"".join((answer[: end - 2], line, answer[end - 2 :]))

    def _but(self, own: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give anyone but the client's own endpoint."""
        for endpoint in self._others.anyone(client):
            if endpoint != own:
                yield endpoint
