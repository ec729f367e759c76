from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest

from podway_proxy.balance.balancer import InOrder
from podway_proxy.http.request import Request
from podway_proxy.http.response import Response
from podway_proxy.values import Address, Arrival, Endpoint
from podway_router.entry import RouteEntry
from podway_router.sticky import Others, Sticky, reachable, usual_name, value_of

A, B = Endpoint("10.0.0.1", 80, "a"), Endpoint("10.0.0.2", 80, "b")
OLD = Endpoint("10.0.0.3", 80, "old")
ARRIVAL = Arrival(("192.0.2.1", 1), ("192.0.2.2", 80), ("192.0.2.1", 1))
OK = Response(200, 0, True, True, 0)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def entry(same_site: str = "") -> RouteEntry:
    chosen = [(*A, 1), (*B, 1)]
    return RouteEntry(
        "a.t", "/", "", "", chosen, "random", cookie="stk", same_site=same_site, kept=[(*OLD, 0)]
    )


def anyone(client: str) -> Iterator[Endpoint]:
    assert client == "192.0.2.1"
    return iter((B, A))


def sticky(same_site: str = "", down: frozenset[Address] = frozenset()) -> Sticky:
    return Sticky("shop", entry(same_site), Others(anyone, InOrder([B, A]), down))


def request(*cookies: str, method: bytes = b"GET") -> Request:
    lines = "".join(f"Cookie: {cookie}\r\n" for cookie in cookies)
    head = method + f" / HTTP/1.1\r\nHost: a.t\r\n{lines}\r\n".encode()
    return Request(head, method, b"/", True, [(b"host", b"a.t")])


def cookie(endpoint: Endpoint) -> str:
    return "stk=" + value_of("shop", endpoint).decode()


def test_the_usual_name_is_openshifts() -> None:
    assert usual_name("shop", "web") == hashlib.md5(b" shop:web").hexdigest()


def test_values_are_stable_and_tell_nothing() -> None:
    assert value_of("shop", A) == value_of("shop", Endpoint("10.0.0.1", 80, "a"))
    assert re.fullmatch(rb"[0-9a-f]{32}", value_of("shop", A))
    others = {value_of("other", A), value_of("shop", B), value_of("shop", A._replace(name="c"))}
    assert len(others | {value_of("shop", A)}) == 4


def test_a_client_comes_back_to_its_endpoint_and_fails_over_from_it() -> None:
    assert list(sticky().choose(request(), ARRIVAL)) == [B, A]
    assert list(sticky().choose(request(cookie(A)), ARRIVAL)) == [A, B]
    assert list(sticky().choose(request("x=1; " + cookie(A)), ARRIVAL)) == [A, B]
    assert list(sticky().choose(request("stk=zz"), ARRIVAL)) == [B, A]
    assert list(sticky().choose(request("stk=zz; " + cookie(A)), ARRIVAL)) == [A, B]


def test_an_endpoint_without_weight_keeps_its_clients() -> None:
    assert list(sticky().choose(request(cookie(OLD)), ARRIVAL)) == [OLD, B, A]


def test_an_endpoint_that_is_down_loses_its_clients() -> None:
    down = frozenset([A.address, OLD.address])
    assert list(sticky(down=down).choose(request(cookie(A)), ARRIVAL)) == [B, A]
    assert list(sticky(down=down).choose(request(cookie(OLD)), ARRIVAL)) == [B, A]


def test_where_all_are_down_cookies_count() -> None:
    every = frozenset([A.address, B.address])
    assert reachable(entry(), every) == [A, B, OLD]


def test_the_pod_does_not_see_it() -> None:
    got = request("a=1; " + cookie(A))
    assert sticky().outgoing(got, ARRIVAL, got.head) == request("a=1").head
    assert sticky().outgoing(request(), ARRIVAL, request().head) == request().head


@pytest.mark.parametrize(("same_site", "attributes"), [("", ""), ("Lax", "; Secure; SameSite=Lax")])
def test_it_is_set_unless_the_right_one_was_shown(same_site: str, attributes: str) -> None:
    made = sticky(same_site)
    line = f"Set-Cookie: {cookie(B)}; path=/; HttpOnly{attributes}\r\n\r\n".encode()
    for shown in ((), ("stk=zz",), (cookie(A),)):
        head = made.incoming(request(*shown), ARRIVAL, OK, B, ANSWER)
        assert head == ANSWER[:-2] + line
    assert made.incoming(request(cookie(B)), ARRIVAL, OK, B, ANSWER) == ANSWER


def test_an_answer_that_could_be_kept_becomes_private() -> None:
    lasting = ANSWER[:-2] + b"ETag: x\r\n\r\n"
    assert (
        sticky()
        .incoming(request(), ARRIVAL, OK, A, lasting)
        .endswith(b"HttpOnly\r\nCache-Control: private\r\n\r\n")
    )
    assert sticky().incoming(request(cookie(A)), ARRIVAL, OK, A, lasting) == lasting
    assert b"private" not in sticky().incoming(request(method=b"POST"), ARRIVAL, OK, A, lasting)


def test_the_pods_own_cookie_of_that_name_goes() -> None:
    own = ANSWER[:-2] + b"Set-Cookie: stk=mine; path=/\r\n\r\n"
    assert sticky().incoming(request(cookie(A)), ARRIVAL, OK, A, own) == ANSWER


def test_an_answer_of_nobody_sets_none() -> None:
    assert sticky().incoming(request(), ARRIVAL, OK, None, ANSWER) == ANSWER
