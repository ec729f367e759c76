from __future__ import annotations

import pytest

from podway_proxy.http.extras import Extras
from podway_proxy.http.request import Request
from podway_proxy.http.response import Response
from podway_proxy.values import Arrival, Endpoint
from podway_router.compression import compressed

FIELDS = [(b"host", b"a")]
HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
REQUEST = Request(HEAD, b"GET", b"/", True, FIELDS)
ARRIVAL = Arrival(("192.0.2.1", 1), ("192.0.2.2", 80), ("192.0.2.1", 1))
RESPONSE = Response(200, 5, True, True, 0)
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n"


def test_no_type_changes_nothing() -> None:
    extras = Extras(outgoing=lambda _request, _arrival, head: head)
    assert compressed(None, None) is None
    assert compressed(extras, []) is extras


def test_what_was_there_stays() -> None:
    extras = Extras(outgoing=lambda _request, _arrival, head: head)
    found = compressed(extras, ["text/html"])
    assert found is not None
    assert found.outgoing is extras.outgoing


@pytest.mark.parametrize(("action", "suited"), [(b"", True), (b"no-transform", False)])
def test_header_actions_come_first(action: bytes, suited: bool) -> None:
    def incoming(
        request: Request, arrival: Arrival, response: Response, who: Endpoint | None, head: bytes
    ) -> bytes:
        return head[:-2] + b"Cache-Control: " + action + b"\r\n\r\n"

    found = compressed(Extras(incoming=incoming), ["text/html"])
    assert found is not None
    assert found.compress is not None
    assert found.compress(REQUEST, ARRIVAL, RESPONSE, None, HTML) is suited


def test_a_client_that_did_not_ask_gets_it_as_it_is() -> None:
    found = compressed(None, ["text/html"])
    assert found is not None
    assert found.compress is not None
    plain = Request(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET", b"/", True, FIELDS)
    assert not found.compress(plain, ARRIVAL, RESPONSE, None, HTML)
    assert found.compress(REQUEST, ARRIVAL, RESPONSE, None, HTML)
