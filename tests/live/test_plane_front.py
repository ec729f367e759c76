from __future__ import annotations

import asyncio
import random
import socket
from typing import Any

import pytest
from hellos import hello as client_hello
from plane_rig import (
    closed_port,
    connect,
    echo,
    proxy,
    read_all,
    read_exactly,
    reset,
    run_in,
    server,
    until,
)

from podway_proxy import Arrival, Closed, Endpoint, Forward, Limits, Refuse, Reject
from podway_proxy.proxy_protocol import encode_v1, encode_v2, encode_v2_local
from podway_proxy.sniff.postgres import GSSENC_REQUEST, SSL_REQUEST, sniff_preamble
from podway_proxy.sniff.tls import Hello, alert, sniff_hello

pytestmark = pytest.mark.live

HELLO = client_hello(b"web.example.test")
QUICK = Limits(hello_timeout=0.3, proxy_timeout=0.3)


class Table:
    """Forwards one host name; remembers what it was asked."""

    def __init__(self, address: tuple[str, int], **forward: Any) -> None:
        self.asked: list[tuple[Arrival, Hello | None, bool]] = []
        self.forward = Forward([Endpoint(*address)], label="route shop/web", **forward)

    def __call__(self, arrival: Arrival, hello: Hello | None, preamble: bool) -> Forward | Refuse:
        self.asked.append((arrival, hello, preamble))
        if hello is None or hello.sni == "web.example.test":
            return self.forward
        return Refuse("no-route", f"no route for {hello.sni}", alert(112))


def refused(closed: list[Closed]) -> list[str]:
    return [one.refused.step for one in closed if one.refused is not None]


async def send(sock: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(sock, data)


async def ends(sock: socket.socket) -> bytes:
    """What comes until the other side closes, by FIN or RST."""
    try:
        return await read_all(sock)
    except ConnectionResetError:
        return b""


# ---- hellos -----------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_hello_split_anywhere_routes_and_reaches_the_endpoint_whole(loop: str) -> None:
    async def main() -> None:
        async with server(echo) as address:
            table = Table(address)
            async with proxy(decide=table, sniff=sniff_hello) as front:
                await asyncio.gather(*(split(front.address, at) for at in range(1, len(HELLO))))
                assert {hello.sni for _, hello, _ in table.asked if hello} == {"web.example.test"}
                assert len(table.asked) == len(HELLO) - 1

    async def split(address: tuple[str, int], at: int) -> None:
        with await connect(address) as sock:
            await send(sock, HELLO[:at])
            await asyncio.sleep(0.001)
            await send(sock, HELLO[at:])
            assert await read_exactly(sock, len(HELLO)) == HELLO

    run_in(loop, main())


async def test_a_hello_byte_by_byte_routes() -> None:
    async with server(echo) as address, proxy(decide=Table(address), sniff=sniff_hello) as front:
        with await connect(front.address) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in HELLO:
                await send(sock, bytes([byte]))
                await asyncio.sleep(0)
            assert await read_exactly(sock, len(HELLO)) == HELLO


@pytest.mark.parametrize("said", [b"", HELLO[:1], HELLO[:-1]])
async def test_a_silent_or_half_hello_is_closed_at_its_deadline(said: bytes) -> None:
    async with server(echo) as address:
        table = Table(address)
        async with proxy(decide=table, sniff=sniff_hello, limits=QUICK) as front:
            with await connect(front.address) as sock:
                await send(sock, said)
                assert await ends(sock) == b""
            assert refused(front.closed) == ["hello"]
            assert not table.asked


async def test_a_client_that_closes_in_the_middle_of_its_hello_is_let_go_at_once() -> None:
    async with server(echo) as address, proxy(decide=Table(address), sniff=sniff_hello) as front:
        with await connect(front.address) as sock:
            await send(sock, HELLO[:50])
            sock.shutdown(socket.SHUT_WR)
            assert await ends(sock) == b""
        with await connect(front.address):
            pass
        reset(await connect(front.address))
        await until(lambda: len(front.closed) == 3)
        assert refused(front.closed) == ["hello"]


async def test_a_refused_client_gets_its_answer_and_then_the_end() -> None:
    async with server(echo) as address:
        answer = alert(50)
        options = {
            "sniff": sniff_hello,
            "sniff_answer": lambda reject: Refuse("hello", reject.reason, answer),
        }
        async with proxy(decide=Table(address), **options) as front:
            with await connect(front.address) as sock:
                await send(sock, client_hello(b"other.example.test"))
                assert await read_all(sock) == alert(112)
            with await connect(front.address) as sock:
                await send(sock, b"GET / HTTP/1.1\r\n\r\n" + b"x" * 30_000)
                assert await read_all(sock) == answer
            assert refused(front.closed) == ["no-route", "hello"]


async def test_a_refused_client_that_never_closes_is_left_after_a_while() -> None:
    async with proxy(decide=lambda *_: Refuse("no-route", "none", b"bye")) as front:
        with await connect(front.address) as sock:
            assert await read_all(sock) == b"bye"
            await until(lambda: front.plane.watched == 1, "the farewell to end")


async def test_a_fault_in_the_decision_closes_the_client_and_is_told() -> None:
    def decide(*_: object) -> Refuse:
        raise ZeroDivisionError

    async with proxy(decide=decide) as front:
        with await connect(front.address) as sock:
            assert await ends(sock) == b""
        (error,) = front.errors
        assert isinstance(error["exception"], ZeroDivisionError)
        front.errors.clear()


@pytest.mark.parametrize("where", ["choose", "announce", "on_open"])
async def test_a_fault_on_the_way_to_an_endpoint_closes_both_and_is_told(where: str) -> None:
    def fails(*_: object) -> Any:
        raise ZeroDivisionError

    seen: list[bytes] = []

    async def serve(sock: socket.socket) -> None:
        seen.append(await ends(sock))

    async with server(serve) as address:
        forward = Forward([Endpoint(*address)])._replace(**{where: fails})
        async with proxy(decide=lambda *_: forward) as front:
            with await connect(front.address) as sock:
                await send(sock, b"hello")
                assert await ends(sock) == b""
            await until(lambda: len(front.closed) == 1)
            assert (front.front.active, front.closed[0].how) == (0, "stopped")
            if where == "on_open":
                await until(lambda: len(seen) == 1, "the endpoint's connection to end")
            (error,) = front.errors
            assert isinstance(error["exception"], ZeroDivisionError)
            front.errors.clear()


# ---- PROXY headers ----------------------------------------------------------------------------

CLIENT, LOCAL = ("203.0.113.9", 1_234), ("198.51.100.1", 443)


@pytest.mark.parametrize(
    "header", [encode_v1(CLIENT, LOCAL), encode_v2(CLIENT, LOCAL, [(5, b"id")])]
)
async def test_a_trusted_header_is_swallowed_and_names_the_client(header: bytes) -> None:
    async with server(echo) as address:
        table = Table(address)
        async with proxy(decide=table, sniff=sniff_hello, takes_proxy=trusts("127.0.0.1")) as front:
            for at in (0, 1, 8, len(header) - 1, len(header), len(header) + 1):
                with await connect(front.address) as sock:
                    data = header + HELLO
                    await send(sock, data[:at])
                    await asyncio.sleep(0.005)
                    await send(sock, data[at:] + b"more")
                    assert await read_exactly(sock, len(HELLO) + 4) == HELLO + b"more"
            for arrival, _, _ in table.asked:
                assert (arrival.client, arrival.local) == (CLIENT, LOCAL)
                assert arrival.peer[0] == "127.0.0.1"


async def test_a_header_without_addresses_leaves_the_peers_own() -> None:
    async with server(echo) as address:
        table = Table(address)
        async with proxy(decide=table, takes_proxy=trusts("127.0.0.1")) as front:
            with await connect(front.address) as sock:
                await send(sock, encode_v2_local() + b"ping")
                assert await read_exactly(sock, 4) == b"ping"
                ((arrival, _, _),) = table.asked
                assert arrival.client == arrival.peer == sock.getsockname()
                assert arrival.local == front.address


def trusts(*hosts: str) -> Any:
    return lambda host: host in hosts


@pytest.mark.parametrize("said", [encode_v1(CLIENT, LOCAL) + HELLO, HELLO, b""])
async def test_a_peer_that_is_not_trusted_is_closed_whatever_it_says(said: bytes) -> None:
    async with server(echo) as address:
        table = Table(address)
        async with proxy(decide=table, sniff=sniff_hello, takes_proxy=trusts("127.0.4.1")) as front:
            with await connect(front.address) as sock:
                await send(sock, said)
                assert await ends(sock) == b""
            with await connect(front.address, "127.0.4.1") as sock:
                await send(sock, encode_v1(CLIENT, LOCAL) + HELLO)
                assert await read_exactly(sock, len(HELLO)) == HELLO
            assert refused(front.closed) == ["untrusted-proxy"]
            assert len(table.asked) == 1


@pytest.mark.parametrize("said", [HELLO, b"PROXY TCP4 bad\r\n", encode_v2(CLIENT, LOCAL)[:20], b""])
async def test_a_missing_or_broken_header_of_a_trusted_peer_is_closed(said: bytes) -> None:
    async with server(echo) as address:
        table = Table(address)
        options = {"sniff": sniff_hello, "takes_proxy": trusts("127.0.0.1")}
        async with proxy(decide=table, limits=QUICK, **options) as front:
            with await connect(front.address) as sock:
                await send(sock, said)
                assert await ends(sock) == b""
            assert refused(front.closed) == ["proxy"]
            assert not table.asked


async def test_a_header_where_none_is_expected_is_no_hello() -> None:
    async with server(echo) as address, proxy(decide=Table(address), sniff=sniff_hello) as front:
        with await connect(front.address) as sock:
            await send(sock, encode_v2(CLIENT, LOCAL) + HELLO)
            assert await ends(sock) == b""
        assert refused(front.closed) == ["hello"]


# ---- PostgreSQL -------------------------------------------------------------------------------


async def postgres(sock: socket.socket) -> None:
    """Answer an SSLRequest, then echo."""
    assert await read_exactly(sock, len(SSL_REQUEST)) == SSL_REQUEST
    await send(sock, b"S")
    await echo(sock)


@pytest.mark.parametrize("asks", [[SSL_REQUEST], [GSSENC_REQUEST, SSL_REQUEST]])
async def test_a_postgres_preamble_is_answered_and_asked_of_the_endpoint(asks: list[bytes]) -> None:
    async with server(postgres) as address:
        table = Table(address, greeting=SSL_REQUEST, greeting_answer=b"S")
        async with proxy(decide=table, sniff=sniff_hello, preamble=sniff_preamble) as front:
            with await connect(front.address) as sock:
                for ask in asks:
                    await send(sock, ask[:3])
                    await asyncio.sleep(0.005)
                    await send(sock, ask[3:])
                    assert await read_exactly(sock, 1) == (b"S" if ask is SSL_REQUEST else b"N")
                await send(sock, HELLO)
                assert await read_exactly(sock, len(HELLO)) == HELLO
                await send(sock, b"more")
                assert await read_exactly(sock, 4) == b"more"
            assert [preamble for _, _, preamble in table.asked] == [True]


async def test_a_client_that_begins_with_tls_has_no_preamble() -> None:
    async with server(echo) as address:
        table = Table(address)
        async with proxy(decide=table, sniff=sniff_hello, preamble=sniff_preamble) as front:
            with await connect(front.address) as sock:
                await send(sock, HELLO)
                assert await read_exactly(sock, len(HELLO)) == HELLO
            assert [preamble for _, _, preamble in table.asked] == [False]


async def test_a_third_preamble_is_no_hello() -> None:
    async with server(echo) as address:
        options = {"sniff": sniff_hello, "preamble": sniff_preamble}
        async with proxy(decide=Table(address), **options) as front:
            with await connect(front.address) as sock:
                await send(sock, GSSENC_REQUEST + GSSENC_REQUEST + GSSENC_REQUEST)
                assert await ends(sock) in (b"NN", b"")
            assert refused(front.closed) == ["hello"]


async def test_an_endpoint_that_refuses_the_greeting_is_passed_over() -> None:
    async def refuses(sock: socket.socket) -> None:
        await read_exactly(sock, len(SSL_REQUEST))
        await send(sock, b"N")
        await read_all(sock)

    failures: list[str] = []
    async with server(refuses) as bad, server(postgres) as good:
        forward = Forward(
            [Endpoint(*bad), Endpoint(*good)],
            greeting=SSL_REQUEST,
            greeting_answer=b"S",
            on_failure=lambda endpoint, reason: failures.append(reason),
        )
        async with proxy(decide=lambda *_: forward) as front:
            with await connect(front.address) as sock:
                await send(sock, HELLO)
                assert await read_exactly(sock, len(HELLO)) == HELLO
    assert failures == ["does not accept the greeting"]


# ---- forwarding -------------------------------------------------------------------------------


async def test_the_prefix_goes_ahead_and_each_open_has_its_close() -> None:
    opened: list[Endpoint] = []
    closed: list[Endpoint] = []
    hooks = {"on_open": opened.append, "on_close": closed.append}
    async with server(echo) as address, proxy(address, forward={"prefix": b"<", **hooks}) as front:
        for said in (b"", b"hello", random.Random(2).randbytes(500_000)):
            with await connect(front.address) as sock:
                await asyncio.gather(send(sock, said), same(sock, b"<" + said))
        await until(lambda: len(closed) == 3)
        assert opened == closed == [Endpoint(*address)] * 3


async def same(sock: socket.socket, data: bytes) -> None:
    assert await read_exactly(sock, len(data)) == data


async def test_a_server_that_speaks_first_is_heard() -> None:
    async def greets(sock: socket.socket) -> None:
        await send(sock, b"220 hello\r\n")
        await echo(sock)

    async with server(greets) as address, proxy(address) as front:
        with await connect(front.address) as sock:
            assert await read_exactly(sock, 11) == b"220 hello\r\n"
            await send(sock, b"EHLO")
            assert await read_exactly(sock, 4) == b"EHLO"


async def test_a_refused_endpoint_is_passed_over_and_none_left_is_told() -> None:
    failures: list[tuple[Endpoint, str]] = []
    dead = closed_port()
    hooks = {"on_failure": lambda *failure: failures.append(failure)}
    async with server(echo) as address, proxy(dead, address, forward=hooks) as front:
        with await connect(front.address) as sock:
            await send(sock, b"ping")
            assert await read_exactly(sock, 4) == b"ping"
        assert failures == [(Endpoint(*dead), "Connection refused")]
    words = {"refused": lambda refuse: refuse_with(refuse, b"sorry")}
    for candidates, step in (((dead,), "connect"), ((), "no-endpoint")):
        async with proxy(*candidates, **words) as front:
            with await connect(front.address) as sock:
                await send(sock, b"ping")
                assert await read_all(sock) == b"sorry"
            assert refused(front.closed) == [step]


def refuse_with(refuse: Refuse, answer: bytes) -> Refuse:
    return Refuse(refuse.step, refuse.reason, answer)


async def test_a_drained_front_end_tells_when_its_last_connection_has_ended() -> None:
    drained: list[bool] = []
    async with server(echo) as address, proxy(address) as front:
        with await connect(front.address) as sock:
            await send(sock, b"ping")
            assert await read_exactly(sock, 4) == b"ping"
            front.front.drain(lambda: drained.append(True))
            await send(sock, b"pong")
            assert await read_exactly(sock, 4) == b"pong"
            assert not drained
        await until(lambda: drained == [True])


def test_what_a_sniffer_rejects_is_refused_without_words_by_default() -> None:
    from podway_proxy.plane.front import without_words

    assert without_words(Reject("no TLS")) == Refuse("hello", "no TLS")
