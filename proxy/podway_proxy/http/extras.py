"""What a Route asks for beyond being carried: the seam between the engine and its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from podway_proxy.values import Arrival, Endpoint

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_proxy.http.response import Response
    from podway_proxy.http.target import Target


class Usual(Protocol):
    """What Extras do to the requests that take the fast lane, and to their answers.

    The very same as their other parts, in fewer calls, on heads instead of on what was read in
    them: `asked` is the request's head as it came.
    """

    def first(self, asked: bytes, client: str) -> Endpoint | None:
        """Give what `choose` gives first; None, and nothing has happened: ask `choose`."""

    def others(self, asked: bytes, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give what `choose` gives behind the first one."""

    def leaving(self, head: bytes) -> bytes:
        """Do what `outgoing` does."""

    def coming(
        self, asked: bytes, endpoint: Endpoint, status: int, answer: bytes, end: int
    ) -> bytes:
        """Do what `incoming` does to the head in `answer[:end]`; give the whole answer."""


class Extras(NamedTuple):
    """What a Route asks for beyond being carried; a part is None where it asks for nothing.

    Compiled once per Route. A target without them (`Target.extras` is None) pays for none.
    """

    outgoing: Callable[[Request, Arrival, bytes], bytes] | None = None
    """Gives the request's head as the endpoint gets it, from the one that is otherwise ready: the
    forwarded fields are in it, those of the last hop are out. Framing fields stay untouched."""
    incoming: Callable[[Request, Arrival, Response, Endpoint | None, bytes], bytes] | None = None
    """Gives a final answer's head (101 is one, too) for the client, from the one that the endpoint
    sent; fields of the last hop and of framing stay untouched, as they are dealt with afterwards.
    May be called twice for one answer."""
    choose: Callable[[Request, Arrival], Iterator[Endpoint]] | None = None
    """Gives the candidates of one request, in place of `Target.choose`."""
    compress: Callable[[Request, Arrival | None, Response, Endpoint | None, bytes], bool] | None = (
        None
    )
    """Tells whether an answer with this head goes to the client compressed."""
    usual: Usual | None = None
    """Does all of the above for usual requests; None: they take the general way."""

    def dress(
        self,
        request: Request,
        arrival: Arrival | None,
        response: Response,
        endpoint: Endpoint | None,
        data: bytes,
        end: int,
    ) -> tuple[bytes, int]:
        """Do to the final answer's head in `data[:end]` what is asked for.

        Gives the data with the new head, and where that one ends.
        """
        if self.incoming is None or arrival is None or response.interim:
            return data, end
        head = self.incoming(request, arrival, response, endpoint, data[:end])
        return head + data[end:], len(head)


def chosen(request: Request, target: Target, arrival: Arrival) -> Iterator[Endpoint]:
    """Give whom to send a request to, in order."""
    extras, choose = target.extras, target.choose
    if extras is not None and extras.choose is not None:
        return extras.choose(request, arrival)
    return iter(target.candidates) if choose is None else choose(arrival.client[0])
