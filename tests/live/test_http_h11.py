"""Random exchanges between a client and a pod that are both h11: what one says, the other hears.

h11 takes nothing that RFC 9112 does not allow, so a byte too many or too few, a wrong framing or
answers out of order fail at once. Many exchanges go over one connection of the client.
"""

from __future__ import annotations

import contextlib
import gzip
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import h11
import pytest
from h11_client import Client, Fields
from http_rig import PodConnection, Rig, serving
from tls_rig import Ca, secured

from podway_proxy.http.compression import fits, suits
from podway_proxy.http.extras import Extras

pytestmark = pytest.mark.live
TEXT = suits(["text/plain"])
PACKING = Extras(
    compress=lambda request, _a, response, _e, head: fits(request, response) and TEXT(head)
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW")
STATUSES = (200, 200, 200, 201, 203, 204, 206, 304, 404, 500)
SIZES = (0, 1, 10, 1_000, 16_384, 65_536, 65_537, 300_000)


class Plan(NamedTuple):
    """One exchange."""

    method: str
    body: list[bytes]
    sized: bool
    """The request has a Content-Length (else chunks)."""
    trailers: Fields
    packed: bool
    """The client would take gzip."""
    early: int
    """Interim answers."""
    status: int
    answer: list[bytes]
    answer_sized: bool
    answer_trailers: Fields
    kind: bytes
    last: bool
    """The pod closes its connection behind this answer."""


def pieces(chance: random.Random) -> list[bytes]:
    return [chance.randbytes(chance.choice(SIZES)) for _ in range(chance.choice((0, 1, 1, 2, 5)))]


def plan(chance: random.Random) -> Plan:
    method = chance.choice(METHODS)
    body = pieces(chance) if method in {"POST", "PUT", "PATCH", "BREW"} else []
    status = chance.choice(STATUSES)
    bare = method == "HEAD" or status in {204, 304}
    sized, answer_sized = chance.random() < 0.5, chance.random() < 0.5
    some = [(b"x-sum", b"%d" % chance.randrange(1000))]
    return Plan(
        method,
        body,
        sized,
        some if body and not sized and chance.random() < 0.5 else [],
        chance.random() < 0.5,
        chance.choice((0, 0, 1, 3)),
        status,
        [] if bare else pieces(chance),
        answer_sized,
        some if not bare and not answer_sized and chance.random() < 0.5 else [],
        chance.choice((b"text/plain", b"image/png")),
        chance.random() < 0.1,
    )


class Peer:
    """A pod on h11 that answers as the plan of each exchange says, and notes what it heard."""

    def __init__(self, plans: list[Plan]) -> None:
        self.plans = plans
        self.chance = random.Random(len(plans))
        self.heard: list[tuple[str, bytes, Fields]] = []

    def __call__(self, connection: PodConnection) -> None:
        wire = h11.Connection(h11.SERVER)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError):
            while self._serve(wire, connection):
                wire.start_next_cycle()

    def _serve(self, wire: h11.Connection, connection: PodConnection) -> bool:
        request = self._next(wire, connection)
        if not isinstance(request, h11.Request):
            return False
        body = b""
        while isinstance(event := self._next(wire, connection), h11.Data):
            body += bytes(event.data)
        assert isinstance(event, h11.EndOfMessage), event
        number = int(request.target.rpartition(b"/")[2])
        self.heard.append((request.method.decode(), body, list(event.headers)))
        self._answer(wire, connection, self.plans[number])
        return wire.our_state is h11.DONE

    def _next(self, wire: h11.Connection, connection: PodConnection) -> object:
        while (event := wire.next_event()) is h11.NEED_DATA:
            wire.receive_data(connection.sock.recv(65536))
        return event

    def _answer(self, wire: h11.Connection, connection: PodConnection, said: Plan) -> None:
        for number in range(said.early):
            hint = [("Link", f"</{number}>")]
            self._say(
                connection, wire.send(h11.InformationalResponse(status_code=103, headers=hint))
            )
        fields: Fields = [(b"Content-Type", said.kind)]
        if said.status not in {204, 304}:
            size = b"%d" % sum(map(len, said.answer))
            sized = (b"Content-Length", size), (b"Transfer-Encoding", b"chunked")
            fields.append(sized[0] if said.answer_sized else sized[1])
        if said.last:
            fields.append((b"Connection", b"close"))
        self._say(connection, wire.send(h11.Response(status_code=said.status, headers=fields)))
        for piece in said.answer:
            self._say(connection, wire.send(h11.Data(data=piece)))
        end = h11.EndOfMessage(headers=said.answer_trailers)
        self._say(connection, wire.send(end))

    def _say(self, connection: PodConnection, data: bytes | None) -> None:
        """Send in a few pieces, cut anywhere."""
        rest = data or b""
        while rest:
            most = self.chance.choice((1, 2, 50, 5_000, 1_000_000))
            connection.send(rest[:most])
            rest = rest[most:]
            if len(rest) > 100_000:
                connection.send(rest)
                return


@contextmanager
def front(wire: str, peer: Peer) -> Iterator[tuple[Rig, Client]]:
    with contextlib.ExitStack() as stack:
        if wire == "plain":
            rig, _ = stack.enter_context(serving(peer, extras=PACKING))
            sock = stack.enter_context(rig.connect())
        else:
            ca = Ca() if wire == "reencrypt" else None
            tls, _ = stack.enter_context(secured(peer, pod_ca=ca, extras=PACKING))
            rig, sock = tls, stack.enter_context(tls.open())
        yield rig, Client(sock, "a")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("wire", ["plain", "edge", "reencrypt"])
def test_what_one_says_the_other_hears(wire: str, seed: int) -> None:
    chance = random.Random(seed)
    plans = [plan(chance) for _ in range(60)]
    peer = Peer(plans)
    with front(wire, peer) as (_, client):
        for number, said in enumerate(plans):
            fields = {"Accept_Encoding": "gzip"} if said.packed else {}
            if said.sized and said.body:
                fields["Content_Length"] = str(sum(map(len, said.body)))
            body, ends = said.body, said.trailers
            got = client.ask(said.method, f"/{number}", body, ends, **fields)
            assert peer.heard[-1] == (said.method, b"".join(body), ends), said
            assert len(got.interim) == said.early
            assert got.status == said.status
            assert got.trailers == said.answer_trailers, said
            packed = got.fields.get(b"content-encoding") == b"gzip"
            plain = gzip.decompress(got.body) if packed else got.body
            assert plain == b"".join(said.answer), said
            if packed:
                assert said.packed
                assert said.kind == b"text/plain"
            assert got.fields.get(b"connection") != b"close"
        assert len(peer.heard) == len(plans)
