"""Ids of requests; the forms were read off HAProxy 2.6."""

from __future__ import annotations

import os
import re
from itertools import count
from socket import gethostname

import pytest

from podway_proxy.http.request import Request
from podway_proxy.values import Arrival
from podway_router.unique_id import FORMAT, UniqueIds, fault, ids_of, outgoing, unique_id

HEAD = (
    b'GET /a?b HTTP/1.1\r\nHost: Up.t:80\r\nX-Multi: a, b\r\nq: A"b\\c]\r\nUnique-ID: own\r\n\r\n'
)
ARRIVAL = Arrival(("127.0.0.1", 43076), ("127.0.0.2", 40369), ("127.0.0.1", 43076))
USUAL = f"7F000001:A844_7F000002:9DB1_6B0249AA_0003:{os.getpid():04X}"
NOW = 0x6B0249AA + 0.0729


def request() -> Request:
    return Request(HEAD, b"GET", b"/a?b", True, [(b"host", b"up.t:80")])


def made(text: str, arrival: Arrival = ARRIVAL) -> bytes:
    return UniqueIds(text, count(3).__next__).of(request(), arrival, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FORMAT, USUAL),
        (FORMAT.replace(" ", "\\ "), USUAL),
        ("%ci-%cp-%fi-%fp-%Ts-%rt", "127.0.0.1-43076-127.0.0.2-40369-1795312042-3"),
        ("a  b %ci  c%%d", "a b 127.0.0.1 c%d"),
        ("%{+X}o %{-X}cp %cp", "43076 A844"),
        ("%{+X,+Q}cp", "A844"),
        ("%HM|%HP|%HQ|%HU|%HV", "GET|/a|?b|/a?b|HTTP/1.1"),
        ("%ms %T", "072 22/Nov/2026:01:47:22 +0000"),
        ("%[src]|%[src_port]|%[dst]|%[dst_port]", "127.0.0.1|43076|127.0.0.2|40369"),
        ("%[method] %[path] %[url] %[hostname]", f"GET /a /a?b {gethostname()}"),
        ("%[req.hdr(x-multi)]|%[req.hdr(host),lower]|%[ssl_c_der]", "b|up.t:80|"),
        ("%{+E}[req.hdr(q)]", 'A\\"b\\\\c\\]'),
        ("%H", gethostname()),
    ],
)
def test_as_haproxy(text: str, expected: str) -> None:
    assert made(text).decode() == expected


def test_ipv6() -> None:
    arrival = ARRIVAL._replace(client=("2001:db8::1", 1))
    assert made("%{+X}ci", arrival) == b"20010DB8000000000000000000000001"


def test_every_uuid_is_another() -> None:
    ids = ids_of("%[uuid()]")
    first, second = (ids.of(request(), ARRIVAL) for _ in range(2))
    assert first != second
    assert re.fullmatch(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first)


def test_a_request_keeps_its_id() -> None:
    one, ids = request(), ids_of("")
    assert unique_id(one) == b""
    assert ids.of(one, ARRIVAL) == ids.of(one, ARRIVAL) == unique_id(one) != b""
    assert ids.of(request(), ARRIVAL) != unique_id(one)


def test_it_takes_the_place_of_the_clients_own() -> None:
    act = outgoing("unique-id", UniqueIds("%rt"), 32_768)
    one = request()
    done = act(one, ARRIVAL, HEAD)
    assert b"own" not in done
    assert done.endswith(b"\r\nunique-id: " + unique_id(one) + b"\r\n\r\n")
    assert outgoing("unique-id", UniqueIds("%rt"), 10)(one, ARRIVAL, HEAD).count(b"\r\n") == 5


@pytest.mark.parametrize("text", ["%zz", "%[nothing]", "%[src,hex]", "%", "a\n", "%ci" * 65])
def test_what_can_not_be_filled_is_said(text: str) -> None:
    assert fault(text)
    with pytest.raises(ValueError, match=r".+"):
        UniqueIds(text)
