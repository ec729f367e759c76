"""The cookie that brings a client back to its pod: OpenShift's rules for it. Pure.

The template's `cookie <name> insert indirect nocache httponly`: every answer to a client that did
not show a valid one sets it; pods see it neither in requests nor can they set it themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from podway_proxy.balance.up import alive
from podway_proxy.http.cookies import sent, set_line, storable, without, without_set
from podway_proxy.values import Address, Endpoint

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_proxy.http.response import Response
    from podway_proxy.values import Arrival
    from podway_router.entry import RouteEntry
    from podway_router.ways import Way

Anyone = Callable[[str], Iterator[Endpoint]]
"""A client's IP address → the endpoints for a client without a cookie, in order."""
_PRIVATE = b"Cache-Control: private\r\n"


def no_endpoints(client: str) -> Iterator[Endpoint]:
    """Give nobody, whoever the client is."""
    return iter(())


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


def held(way: Way, request: Request, down: Collection[Address]) -> bool:
    """Tell whether a cookie leads somewhere on a Route that has nothing for new clients."""
    if way.entry.cookie is None or not way.entry.kept:
        return False
    return Sticky(way.namespace, way.entry, down=down).holds(request) is not None


class Sticky:
    """One Route's cookie, with the endpoints that it may lead to now."""

    __slots__ = ("_anyone", "_begins", "_endpoints", "_lines")

    def __init__(
        self,
        namespace: str,
        entry: RouteEntry,
        anyone: Anyone = no_endpoints,
        down: Collection[Address] = (),
    ) -> None:
        self._begins = (entry.cookie or "").encode() + b"="
        self._anyone = anyone
        secure = f"; Secure; SameSite={entry.same_site}" if entry.same_site else ""
        attributes = b"; path=/; HttpOnly" + secure.encode()
        self._endpoints: dict[bytes, Endpoint] = {}
        """By the cookie's value."""
        self._lines: dict[Endpoint, tuple[bytes, bytes]] = {}
        """The cookie as clients show it, and the line that sets it."""
        for endpoint in reachable(entry, down):
            value = value_of(namespace, endpoint)
            self._endpoints[value] = endpoint
            line = set_line(self._begins, value, attributes)
            self._lines[endpoint] = self._begins + value, line

    def holds(self, request: Request) -> Endpoint | None:
        """Give the endpoint that the request's cookie names; of several cookies the first valid."""
        if self._begins not in request.head:
            return None
        for value in sent(request.head, self._begins):
            endpoint = self._endpoints.get(value)
            if endpoint is not None:
                return endpoint
        return None

    def choose(self, request: Request, arrival: Arrival) -> Iterator[Endpoint]:
        """Give the client's own endpoint, should that fail the others; a new client any."""
        own = self.holds(request)
        if own is None:
            return self._anyone(arrival.client[0])
        return self._own_first(own, arrival.client[0])

    def outgoing(self, request: Request, arrival: Arrival, head: bytes) -> bytes:
        """Take the cookie out, valid or not."""
        return without(head, self._begins) if self._begins in head else head

    def incoming(
        self,
        request: Request,
        arrival: Arrival,
        response: Response,
        endpoint: Endpoint | None,
        head: bytes,
    ) -> bytes:
        """Set the cookie unless the client has shown the right one."""
        if self._begins in head:
            head = without_set(head, self._begins)
        known = None if endpoint is None else self._lines.get(endpoint)
        if known is None:
            return head
        pair, line = known
        if pair in request.head and self.holds(request) == endpoint:
            return head
        if response.status >= 200 and storable(request.method, response.status, head):
            line += _PRIVATE
        return head[:-2] + line + b"\r\n"

    def _own_first(self, own: Endpoint, client: str) -> Iterator[Endpoint]:
        yield own
        for endpoint in self._anyone(client):
            if endpoint != own:
                yield endpoint
