"""Parts of a Route's options put together: their order, and nothing where there is nothing."""

from __future__ import annotations

from podway_proxy.http.request import Request
from podway_proxy.http.response import Response
from podway_proxy.values import Arrival, Endpoint
from podway_router.extras import Part, joined

REQUEST = Request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET", b"/", True, [(b"host", b"a")])
ARRIVAL = Arrival(("192.0.2.1", 1), ("192.0.2.2", 80), ("192.0.2.1", 1))
RESPONSE = Response(200, 0, True, True, 0)


def adds(word: bytes) -> Part:
    """Give a part that writes its word behind both heads."""

    def outgoing(request: Request, arrival: Arrival, head: bytes) -> bytes:
        return head + word

    def incoming(
        request: Request, arrival: Arrival, response: Response, who: Endpoint | None, head: bytes
    ) -> bytes:
        return head + word

    return Part(outgoing, incoming)


def test_no_part_is_no_extras() -> None:
    assert joined([None, Part(), None]) is None


def test_one_part_is_called_directly() -> None:
    part = adds(b"a")
    extras = joined([None, part])
    assert extras is not None
    assert extras.outgoing is part.outgoing
    assert extras.incoming is part.incoming


def test_parts_act_in_their_order() -> None:
    extras = joined([adds(b"a"), None, adds(b"b")])
    assert extras is not None
    assert extras.outgoing is not None
    assert extras.outgoing(REQUEST, ARRIVAL, b"-") == b"-ab"
    assert extras.dress(REQUEST, ARRIVAL, RESPONSE, None, b"-body", 1) == (b"-abbody", 3)


def test_interim_answers_are_left_alone() -> None:
    extras = joined([adds(b"a")])
    assert extras is not None
    interim = Response(103, 0, True, True, 0)
    assert extras.dress(REQUEST, ARRIVAL, interim, None, b"-", 1) == (b"-", 1)
