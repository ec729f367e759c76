"""What is done to heads: no value can add a line; parsers take or refuse, and do nothing else."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_cluster.kinds import headers
from podway_proxy.balance.balancer import InOrder
from podway_proxy.http.fields import last_value, mark, renamed, without
from podway_proxy.http.head import read_head
from podway_proxy.http.refuse import Refusal
from podway_proxy.http.response import Response
from podway_proxy.tls.certificate import read_certificate
from podway_proxy.values import Arrival, Endpoint
from podway_router import actions, client_certificate, letter_case, rewriting, unique_id
from podway_router.entry import HeadsEntry, RouteEntry, ShardEntry
from podway_router.extras import extras_of
from podway_router.header_values import MOST, Fetch, pieces
from podway_router.sticky import Others
from podway_router.ways import Way

NAMES = ("X-A", "x-a", "X-B", "Accept", "Host")
QUICK = settings(max_examples=150, deadline=None)
POD = Endpoint("192.0.2.9", 80)
ARRIVAL = Arrival(("192.0.2.1", 1), ("192.0.2.2", 80), ("192.0.2.1", 1))
RESPONSE = Response(200, 4, True, True, 0)

values = st.binary(max_size=30) | st.sampled_from((b' a, "b,c"', b"\xff\x80", b"%0d%0a", b"a,,b"))
field_lines = st.lists(st.tuples(st.sampled_from(NAMES[:4]), values), max_size=6)
literals = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)
fetches = st.builds(
    "%{0}[{1}{2}]".format,
    st.sampled_from(("", "{+Q}", "{+E}", "{-X,+E}")),
    st.sampled_from(("ssl_c_der", *(f"req.hdr({name})" for name in NAMES))),
    st.lists(st.sampled_from((",lower", ",base64")), max_size=3).map("".join),
)
templates = st.lists(
    literals.map(lambda text: text.replace("%", "%%")) | fetches, min_size=1, max_size=5
).map(lambda parts: "".join(parts) or "x")
entries = st.lists(
    st.tuples(st.sampled_from(NAMES), templates).map(list)
    | st.sampled_from(NAMES[:4]).map(lambda name: [name]),
    min_size=1,
    max_size=6,
)


def spelled(lines: list[tuple[str, bytes]]) -> bytes:
    """A head with these fields; what no head can hold is not a part of it."""
    block = b"".join(name.encode() + b":" + value + b"\r\n" for name, value in lines)
    return b"GET /sub/x?y HTTP/1.1\r\nHost: a.t\r\n" + block + b"\r\n"


def names_of(head: bytes) -> list[bytes]:
    assert head.endswith(b"\r\n\r\n")
    return [line.partition(b":")[0] for line in head[:-4].split(b"\r\n")[1:]]


@QUICK
@given(field_lines, entries, st.binary(max_size=40))
def test_no_value_adds_a_line(
    lines: list[tuple[str, bytes]], asked: list[list[str]], certificate: bytes
) -> None:
    head = spelled(lines)
    if isinstance(read_head(head), Refusal):
        return
    run = actions.program(asked, 32_768)
    assert run is not None
    done = run(head, certificate)
    assert done.split(b"\r\n")[0] == head.split(b"\r\n")[0]
    assert re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n", done) is None
    left: dict[bytes, list[bytes]] = {}
    for name in names_of(head):
        left.setdefault(name.lower(), []).append(name)
    for action in asked:  # what a model that knows nothing of bytes would have
        left[action[0].lower().encode()] = [action[0].encode()] if len(action) == 2 else []
    assert sorted(names_of(done)) == sorted(name for names in left.values() for name in names)


@QUICK
@given(field_lines, entries)
def test_no_head_gets_longer_than_it_may(
    lines: list[tuple[str, bytes]], asked: list[list[str]]
) -> None:
    head = spelled(lines)
    if isinstance(read_head(head), Refusal):
        return
    run = actions.program(asked, len(head))
    assert run is not None
    done = run(head, b"certificate")
    assert len(done) <= len(head)
    assert done.count(b"\r\n\r\n") == 1


@QUICK
@given(st.text(max_size=40) | templates | st.text("%[]{}(),+QEXreq.hdslowb64c_n ", max_size=30))
def test_values_are_taken_where_the_api_takes_them(text: str) -> None:
    taken = any(headers._VALUES[side].fullmatch(text) for side in ("req", "res"))
    try:
        found = pieces(text)
    except ValueError:
        assert not taken or text.count("[") > MOST
        return
    if text and not ("req.hdr" in text and "res.hdr" in text):
        assert taken
    assert sum(isinstance(piece, Fetch) for piece in found) <= MOST


def brute(value: bytes) -> bytes:
    """HAProxy's walk over a value (http_find_hdr_value_end), byte by byte."""
    start, quoted, escaped = 0, False, False
    for at, byte in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = byte == ord("\\")
            quoted = byte != ord('"')
        elif byte == ord('"'):
            quoted = True
        elif byte == ord(","):
            start = at + 1
    return value[start:].strip(b" \t")


@QUICK
@given(st.text('",\\ a\t', max_size=20).map(str.encode))
def test_the_last_value_is_the_one_that_a_walk_finds(value: bytes) -> None:
    head = b"GET / HTTP/1.1\r\nX: first\r\nX:" + value + b"\r\n\r\n"
    assert last_value(head, head.lower(), mark(b"x")) == brute(value)


@QUICK
@given(field_lines, st.sampled_from(NAMES[:4]))
def test_fields_are_taken_out_and_renamed_alone(lines: list[tuple[str, bytes]], name: str) -> None:
    head = spelled(lines)
    if isinstance(read_head(head), Refusal):
        return
    wanted, low = mark(name.encode()), head.lower()
    kept, kept_low = without(head, low, wanted)
    assert kept_low == kept.lower()
    assert names_of(kept) == [one for one in names_of(head) if one.lower() != name.lower().encode()]
    upper = renamed(head, low, wanted, name.upper().encode())
    assert upper.lower() == low
    adjust = letter_case.adjuster((name.upper(),))
    assert adjust is not None
    assert adjust(head) == upper


paths = st.text("/ab%.", max_size=6).map(lambda text: "/" + text)


@QUICK
@given(paths | st.just(""), paths, paths)
def test_paths_are_rewritten_as_the_templates_expressions_do(
    path: str, target: str, asked: str
) -> None:
    rewrite = rewriting.rewriter(path, target)
    found = rewriting.target_of(target)
    assert rewrite is not None
    assert not isinstance(found, str)
    expression = f"^{re.escape(path)}{'/?' if target == '/' else ''}(.*)$"
    expected = re.sub(expression, lambda match: found[0] + match[1], asked, count=1)
    assert rewrite(asked.encode()).decode() == expected


@QUICK
@given(st.text(max_size=30) | st.text("/\\'\"#% a1", max_size=12).map(lambda text: "/" + text))
def test_a_target_is_refused_or_fits_into_a_request_line(text: str) -> None:
    found = rewriting.target_of(text)
    if not isinstance(found, str):
        assert re.fullmatch(r"/[!\"$-~]*", found[0])
    rewrite = rewriting.rewriter("/sub", text)
    head = b"GET /sub/x?y HTTP/1.1\r\nHost: a\r\n\r\n"
    if rewrite is not None:
        assert not isinstance(read_head(head.replace(b"/sub/x", rewrite(b"/sub/x"))), Refusal)


@QUICK
@given(st.text(max_size=20) | st.text("%{}[]+X-Q, ociptHMUsuid", max_size=20))
def test_a_format_is_taken_or_said_to_be_none(text: str) -> None:
    assert isinstance(unique_id.fault(text), str)


@QUICK
@given(st.binary(max_size=60) | st.lists(st.sampled_from(b"\x30\x31\x02\x06\xa0\x03\x80\x81\x00")))
def test_any_bytes_are_a_certificate_or_none(der: bytes | list[int]) -> None:
    try:
        read_certificate(bytes(der))
    except ValueError as error:
        told = str(error)
    else:
        told = ""
    assert told in ("", "this is no certificate in DER")
    block = client_certificate.lines(bytes(der))
    assert block.count(b"\r") == block.count(b"\n") == 11


@QUICK
@given(field_lines, entries, entries, st.booleans(), st.booleans())
def test_the_fast_lane_does_the_same(
    lines: list[tuple[str, bytes]],
    own: list[list[str]],
    controllers: list[list[str]],
    sticky: bool,
    over_tls: bool,
) -> None:
    head = spelled(lines)
    request = read_head(head)
    if isinstance(request, Refusal):
        return
    entry = RouteEntry(
        *("a", "/", "edge", "Allow", [(*POD, 1)], "random"),
        cookie="stk" if sticky else None,
        request_actions=own,
        response_actions=own,
        hsts="max-age=1",
        rewrite=["/sub", "/"],
        adjusts_case=True,
    )
    told = HeadsEntry(request_actions=controllers, response_actions=controllers, names=["X-B"])
    way = Way("route shop/web", entry, frozenset(), InOrder([POD]))
    shard = ShardEntry({}, heads=told._asdict())
    others = Others(lambda _: iter([POD]), InOrder([POD]))
    extras = extras_of(way, shard, "https" if over_tls else "http", others)
    assert extras is not None
    assert extras.usual is not None
    assert extras.outgoing is not None
    assert extras.usual.leaving(head) == extras.outgoing(request, ARRIVAL, head)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" + head[head.index(b"\r\nHost") + 2 :]
    general, _ = extras.dress(request, ARRIVAL, RESPONSE, POD, answer + b"body", len(answer))
    assert extras.usual.coming(head, POD, 200, answer + b"body", len(answer)) == general
