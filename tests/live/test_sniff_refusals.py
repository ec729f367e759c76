"""Adversarial first bytes over real sockets: reference limits.md, refusals 10 and 11.

Each also shows that a clean client beside it is served and that no byte of it reached an endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

import hellos
import pytest
from hellos import message, records, server_name
from plane_rig import connect, read_all, read_exactly, reset, until
from sniff_scene import CLEAN, FROM, HELLO, NO_ROUTE, PAGE, SHORT, WEB, Scene, answer_to, scene

from podway_proxy.limits import Limits
from podway_proxy.proxy_protocol import ALPN, SIGNATURE, encode_v1, encode_v2, encode_v2_local
from podway_proxy.sniff import tls
from podway_proxy.sniff.postgres import GSSENC_REQUEST, SSL_REQUEST, sniff_preamble
from podway_proxy.verdict import Reject

pytestmark = pytest.mark.live

# ---- 10: the TLS port ---------------------------------------------------------------------------


@pytest.mark.parametrize("start", [b"", HELLO[:1], HELLO[:5], HELLO[:9], HELLO[:-1]])
async def test_silent_and_half_a_hello_are_closed_at_the_deadline(start: bytes) -> None:
    async with scene(limits=SHORT) as it:
        await it.check_refused(start)


async def test_a_drip_does_not_prolong_the_deadline() -> None:
    async with scene(limits=SHORT) as it:
        with await connect(it.proxy.address) as sock:
            over = asyncio.create_task(read_all(sock))
            for byte in hellos.records(message(server_name(b"x" * 50), server_name(b"y" * 5_000))):
                if over.done():
                    break
                with contextlib.suppress(ConnectionError):
                    await asyncio.get_running_loop().sock_sendall(sock, bytes((byte,)))
                await asyncio.sleep(0.01)
            with contextlib.suppress(ConnectionResetError):
                assert await over == b""
        await it.check_clean_client()


async def test_five_hundred_silent_clients_keep_nobody_waiting() -> None:
    async with scene(limits=Limits(hello_timeout=3.0)) as it:
        silent = [await connect(it.proxy.address) for _ in range(250)]
        halves = [await connect(it.proxy.address) for _ in range(250)]
        for each in halves:
            each.send(HELLO[:100])
        await until(lambda: it.proxy.front.active == 500, "all to be there")
        for _ in range(5):
            await it.check_clean_client()
        assert it.proxy.front.active >= 500 or it.proxy.closed
        await until(lambda: it.proxy.front.active == 0, "all to be closed")
        for each in [*silent, *halves]:
            each.close()


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", tls.alert(tls.PROTOCOL_VERSION)),
        (b"\x00", b""),
        (b"SSH-2.0-OpenSSH_9.2\r\n", PAGE),
        (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", tls.alert(tls.UNEXPECTED_MESSAGE)),
        (b"\x16\x03\x01\x00\x00", tls.alert(tls.DECODE_ERROR)),
        (b"\x16\x03\x01\x40\x00\x01\x00\xff\xff", tls.alert(tls.ILLEGAL_PARAMETER)),
        (encode_v1(("192.0.2.1", 1), ("192.0.2.2", 2)) + CLEAN, PAGE),
        (FROM + CLEAN, b""),
        (encode_v2_local() + CLEAN, b""),
    ],
)
async def test_what_is_no_tls_is_refused_at_once(data: bytes, answer: bytes) -> None:
    async with scene() as it:
        await it.check_refused(data, answer=answer)


async def test_plain_http_is_told_in_http() -> None:
    async with scene() as it:
        await it.check_refused(b"GET / HTTP/1.1\r\nhost: web.example.test\r\n\r\n", answer=PAGE)
    assert PAGE.startswith(b"HTTP/1.1 400 ")
    assert b"use https" in PAGE


@pytest.mark.parametrize(
    ("name", "alert"),
    [
        (b"", tls.DECODE_ERROR),
        (b"web.example.test\0.evil.test", tls.UNRECOGNIZED_NAME),
        (b"evil.test\0web.example.test", tls.UNRECOGNIZED_NAME),
        (b"web.example.test..", tls.UNRECOGNIZED_NAME),
        (b"web.example.test:443", tls.UNRECOGNIZED_NAME),
        (b" web.example.test", tls.UNRECOGNIZED_NAME),
        (b"127.0.0.1", tls.UNRECOGNIZED_NAME),
        (b"::1", tls.UNRECOGNIZED_NAME),
        (b"other.example.test", tls.UNRECOGNIZED_NAME),
        (b"x." * 130 + b"web.example.test", tls.UNRECOGNIZED_NAME),
        (b"x" * 8_000, tls.UNRECOGNIZED_NAME),
    ],
)
async def test_names_that_reach_nobodys_pod(name: bytes, alert: int) -> None:
    async with scene() as it:
        data = hellos.hello(name)
        expected = tls.sniff_hello(data)
        step = "hello" if isinstance(expected, Reject) else "no-route"
        await it.check_refused(data, answer=tls.alert(alert), step=step)


@pytest.mark.parametrize("names", [("web.example.test", "evil.test"), ("evil.test", WEB)])
async def test_two_names_reach_neither(names: tuple[str, str]) -> None:
    one, two = (each.encode() for each in names)
    async with scene() as it:
        refused = tls.alert(tls.ILLEGAL_PARAMETER)
        await it.check_refused(records(message(server_name(one, two))), answer=refused)
        data = records(message(server_name(one), server_name(two)))
        await it.check_refused(data, answer=refused)


async def test_no_name_reaches_nobody() -> None:
    async with scene() as it:
        await it.check_refused(records(message()), answer=NO_ROUTE, step="no-route")


@pytest.mark.parametrize(
    "data",
    [
        hellos.hello(b"WEB.Example.TEST"),
        hellos.hello(b"web.example.test."),
        records(message(server_name(WEB.encode())), cuts=range(1, 60)),
        records(message(hellos.extension(51, bytes(9_000)), server_name(WEB.encode())), [4_000]),
    ],
)
async def test_spellings_and_records_that_do_reach_it_unchanged(data: bytes) -> None:
    async with scene() as it:
        assert await it.say(data, end=True) == data
        assert it.received.pop() == data
        await it.check_clean_client()


async def test_a_hello_byte_by_byte_is_routed() -> None:
    async with scene() as it:
        for parts in ([CLEAN[at : at + 1] for at in range(len(CLEAN))], [CLEAN[:3], CLEAN[3:]]):
            assert await it.say(*parts, end=True) == CLEAN
            it.served += 1


async def test_a_client_that_ends_in_the_middle_of_its_hello() -> None:
    async with scene() as it:
        for start in (b"", HELLO[:3], HELLO[:100]):
            assert await it.say(start, end=True) == b""
            with await connect(it.proxy.address) as sock:
                sock.send(start or b"\x16")
                await until(lambda: it.proxy.front.active == 1, "it to be there")
                reset(sock)
            await until(lambda: it.proxy.front.active == 0, "it to be gone")
            await it.check_clean_client()


# ---- 11: the PROXY header -----------------------------------------------------------------------


def v2(body: bytes, family: int = 0x11, command: int = 0x21, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return SIGNATURE + bytes((command, family)) + size.to_bytes(2, "big") + body


PAIR = FROM[16:]


@pytest.mark.parametrize(
    "data",
    [
        CLEAN,
        b"GET / HTTP/1.1\r\n\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n" + CLEAN,
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n" + CLEAN,
        b"PROXY TCP4 " + b"1" * 200,
        v2(PAIR, length=4) + CLEAN,
        v2(PAIR, length=65_535) + CLEAN,
        v2(PAIR, family=0x12) + CLEAN,
        v2(PAIR, command=0x11) + CLEAN,
        v2(PAIR + bytes((ALPN, 0, 9)) + b"h2") + CLEAN,
        v2(PAIR + bytes((ALPN, 0))) + CLEAN,
        v2(PAIR + b"\x03\x00\x04abcd") + CLEAN,
        FROM + FROM + CLEAN,
        FROM + b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_headers_that_are_missing_or_lie(data: bytes) -> None:
    async with scene(takes_proxy=lambda host: host == "127.0.0.1") as it:
        it.first = FROM
        if data.startswith(FROM):
            await it.check_refused(data, answer=answer_to(data[len(FROM) :]))
        else:
            await it.check_refused(data, step="proxy")


@pytest.mark.parametrize("start", [b"", b"PROXY ", b"PROXY TCP4 192.0.2.1", FROM[:7], FROM[:20]])
async def test_silent_and_half_a_header_are_closed_at_the_deadline(start: bytes) -> None:
    async with scene(takes_proxy=lambda _: True, limits=SHORT) as it:
        it.first = FROM
        await it.check_refused(start, step="proxy")


async def test_a_whole_header_and_half_a_hello() -> None:
    async with scene(takes_proxy=lambda _: True, limits=SHORT) as it:
        it.first = FROM
        for parts in ((FROM,), (FROM, HELLO[:50]), (FROM + HELLO[:50],)):
            await it.check_refused(*parts)


async def test_a_header_from_an_address_that_is_not_trusted() -> None:
    async with scene(takes_proxy=lambda host: host == "127.0.0.99") as it:
        for data in (FROM + CLEAN, CLEAN, b""):
            assert await it.say(data) == b""
        refused = [closed.refused for closed in it.proxy.closed]
        assert [each and each.step for each in refused] == ["untrusted-proxy"] * 3
        with await connect(it.proxy.address, source="127.0.0.99") as sock:
            await asyncio.get_running_loop().sock_sendall(sock, FROM + CLEAN)
            sock.shutdown(socket.SHUT_WR)
            assert await read_all(sock) == CLEAN
            it.served += 1


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (FROM, ("192.0.2.7", 40_000)),
        (encode_v1(("192.0.2.7", 40_000), ("198.51.100.1", 443)), ("192.0.2.7", 40_000)),
        (encode_v2(("2001:db8::7", 1), ("2001:db8::1", 443), crc=True), ("2001:db8::7", 1)),
        (encode_v2_local(), None),
        (b"PROXY UNKNOWN\r\n", None),
    ],
)
async def test_a_proper_header_over_any_segments(
    header: bytes, client: tuple[str, int] | None
) -> None:
    async with scene(takes_proxy=lambda _: True) as it:
        whole = header + CLEAN
        splits = ([whole], [header, CLEAN], [whole[at : at + 1] for at in range(len(whole))])
        for parts in (*splits, [whole[:-30], whole[-30:]]):
            assert await it.say(*parts, end=True) == CLEAN
            it.served += 1
            arrival = it.arrivals.pop()
            assert arrival.client == (client or arrival.peer)


# ---- PostgreSQL's preamble ----------------------------------------------------------------------


async def ask(it: Scene, *requests: tuple[bytes, bytes]) -> socket.socket:
    """Make requests for encryption one after the other, checking each answer."""
    sock = await connect(it.proxy.address)
    for request, answer in requests:
        await asyncio.get_running_loop().sock_sendall(sock, request)
        assert await read_exactly(sock, len(answer)) == answer
    return sock


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [(SSL_REQUEST, b"S")],
        [(GSSENC_REQUEST, b"N"), (SSL_REQUEST, b"S")],
        [(SSL_REQUEST[:3], b""), (SSL_REQUEST[3:], b"S")],
    ],
)
async def test_requests_for_encryption_are_answered(requests: list[tuple[bytes, bytes]]) -> None:
    async with scene(preamble=sniff_preamble) as it:
        with await ask(it, *requests) as sock:
            await asyncio.get_running_loop().sock_sendall(sock, CLEAN)
            sock.shutdown(socket.SHUT_WR)
            assert await read_all(sock) == CLEAN
            it.served += 1


@pytest.mark.parametrize(
    ("requests", "rest"),
    [
        ([], b"\x00\x00\x00\x08\x00\x03\x00\x00"),
        ([], b"\x00\x00\x00\x08\x04\xd2\x16\x2e"),
        ([(SSL_REQUEST, b"S")], SSL_REQUEST),
        ([(SSL_REQUEST, b"S")], b"\x00\x00\x00\x08\x00\x03\x00\x00"),
        ([(GSSENC_REQUEST, b"N"), (GSSENC_REQUEST, b"N")], GSSENC_REQUEST),
        ([(GSSENC_REQUEST, b"N")], b"\x00\x00\x00\x08\x00\x03\x00\x00"),
    ],
)
async def test_what_follows_a_request_and_is_no_tls(
    requests: list[tuple[bytes, bytes]], rest: bytes
) -> None:
    async with scene(preamble=sniff_preamble) as it:
        with await ask(it, *requests) as sock:
            await asyncio.get_running_loop().sock_sendall(sock, rest)
            with contextlib.suppress(ConnectionResetError):
                assert await read_all(sock) == b""
        await it.check_clean_client()


async def test_a_client_that_asks_and_then_says_no_more() -> None:
    async with scene(preamble=sniff_preamble, limits=SHORT) as it:
        for start in (SSL_REQUEST[:1], SSL_REQUEST[:7]):
            await it.check_refused(start)
        await it.check_refused(SSL_REQUEST, answer=b"S")
