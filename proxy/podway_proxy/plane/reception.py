"""What a TCP front end hears from a client before it decides: PROXY header, preamble, hello."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from podway_proxy.plane.plane import BROKEN, GONE
from podway_proxy.plane.tunnel import Uncarried
from podway_proxy.proxy_protocol import HEADER_BYTES, Header, sniff_header
from podway_proxy.values import Address, Arrival, Refuse
from podway_proxy.verdict import Found, NeedMore, Reject

if TYPE_CHECKING:
    from podway_proxy.plane.front import TcpFront

PREAMBLES: Final = 2
"""A PostgreSQL client asks for GSS encryption, then for TLS, each at most once (manual,
"Message Flow", GSSAPI Session Encryption)."""
NOWHERE: Final = ("", 0)
NO_PREAMBLE: Final = Reject("none is expected")


class Reception:
    """A connection of a `TcpFront` up to the decision.

    Each stage is a method that takes the bytes peeked so far; the socket is read only when the
    bytes have found their place.
    """

    filed = False  # its own deadlines are set and cancelled by itself
    until = math.inf

    __slots__ = (
        "_arrival",
        "_front",
        "_gone",
        "_least",
        "_preambles",
        "_skip",
        "_sock",
        "_stage",
        "_tls_follows",
    )

    def __init__(self, front: TcpFront[Any], sock: socket.socket, peer: Address) -> None:
        self._front = front
        self._sock = sock
        self._gone = False
        """An edge told that the client sends no more."""
        self._skip = 0
        """Bytes at the start of the socket's queue that are dealt with."""
        self._least = 1
        """SO_RCVLOWAT of the socket."""
        self._preambles = 0
        self._tls_follows = False
        self._stage: Callable[[bytes], None] = self._take_hello
        front.parts.add(self)
        if front.takes_proxy is not None:
            self._arrival = Arrival(peer, NOWHERE, peer)
            self._expect_proxy(front.takes_proxy)
        else:
            self._arrival = Arrival(peer, front.local_of(sock), peer)
            self._expect_hello()

    def stop(self) -> None:
        """Cut the connection."""
        self._leave()
        self._front.plane.abort(self._sock)
        self._front.ended(self, Uncarried(self._arrival, "stopped"))

    def on_deadline(self) -> None:
        """Refuse a client that did not say in time what its stage waits for."""
        step = "proxy" if self._stage == self._take_proxy else "hello"
        self._refuse(Refuse(step, "the client's first bytes did not come in time"))

    # ---- waiting for the first bytes -----------------------------------------------------------

    def _expect_proxy(self, trusted: Callable[[str], bool]) -> None:
        host = self._arrival.peer[0]
        if trusted(host):
            self._await(self._take_proxy, self._front.limits.proxy_timeout)
        else:
            reason = f"{host} is not among the addresses whose PROXY header is taken"
            self._refuse(Refuse("untrusted-proxy", reason))

    def _expect_hello(self, data: bytes = b"") -> None:
        """Go on after the PROXY header, of whose segment `data` is left."""
        front = self._front
        if front.preamble is None and front.sniff is None:
            self._decide(None)
            return
        stage = self._take_hello if front.preamble is None else self._take_preamble
        self._await(stage, front.limits.hello_timeout, data)

    def _await(self, stage: Callable[[bytes], None], timeout: float, data: bytes = b"") -> None:
        plane = self._front.plane
        self._stage = stage
        plane.deadline(self, plane.now + timeout)
        plane.watch(self._sock.fileno(), self._on_event)
        if data:
            stage(data)
        else:
            self._look()

    def _on_event(self, mask: int) -> None:
        if mask & GONE:
            self._gone = True
        if mask & BROKEN:
            self._abandon("client-reset")
        else:
            self._look()

    def _look(self) -> None:
        """Peek at what has come and let the stage judge it."""
        limits = self._front.limits
        cap = max(limits.hello_bytes, HEADER_BYTES)
        try:
            data = self._sock.recv(self._skip + cap, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            self._abandon("client-reset")
            return
        if len(data) > self._skip:
            self._stage(data[self._skip :] if self._skip else data)
        elif self._gone or not data:
            self._abandon("done")

    def _need(self, verdict: NeedMore, have: int, cap: int, step: str) -> None:
        """Wait for more, unless there can't be more."""
        if self._gone:
            self._refuse(Refuse(step, "the client closed before its first message was complete"))
        elif have >= cap:
            self._refuse(Refuse(step, f"the client's first message is longer than {cap} bytes"))
        else:
            self._consume()
            self._wake_at(have + verdict.at_least)

    def _wake_at(self, least: int) -> None:
        """Have the kernel wake us when that many bytes are there: a drip costs no CPU."""
        if least != self._least:
            self._least = least
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)

    def _consume(self) -> None:
        """Take out of the socket's queue what is dealt with."""
        if self._skip:
            self._sock.recv(self._skip)
            self._skip = 0

    # ---- the stages ----------------------------------------------------------------------------

    def _take_proxy(self, data: bytes) -> None:
        verdict = sniff_header(data)
        if isinstance(verdict, NeedMore):
            self._need(verdict, len(data), HEADER_BYTES, "proxy")
        elif isinstance(verdict, Reject):
            self._refuse(Refuse("proxy", verdict.reason))
        else:
            self._skip = verdict.consumed
            self._arrival = self._arrived(verdict.value)
            self._expect_hello(data[verdict.consumed :])

    def _arrived(self, header: Header) -> Arrival:
        peer = self._arrival.peer
        local = header.local or self._front.local_of(self._sock)
        return Arrival(header.client or peer, local, peer, header.tlvs)

    def _take_preamble(self, data: bytes) -> None:
        preamble = self._front.preamble
        verdict = NO_PREAMBLE if preamble is None else preamble(data)
        if isinstance(verdict, NeedMore):
            self._need(verdict, len(data), self._front.limits.hello_bytes, "hello")
        elif isinstance(verdict, Reject):
            self._stage = self._take_hello
            self._take_hello(data)
        else:
            self._answer(verdict, data)

    def _answer(self, found: Found[Any], data: bytes) -> None:
        """Swallow a preamble, answer it, and look at what comes next."""
        self._preambles += 1
        self._tls_follows = found.value.tls_follows
        if self._tls_follows or self._preambles == PREAMBLES:
            self._stage = self._take_hello
        self._skip += found.consumed
        self._consume()
        self._wake_at(1)
        try:
            self._sock.send(found.value.answer)
        except OSError:
            self._abandon("client-reset")
            return
        self._look()

    def _take_hello(self, data: bytes) -> None:
        sniff = self._front.sniff
        if sniff is None:
            self._decide(None)
            return
        verdict = sniff(data)
        if isinstance(verdict, Found):
            self._decide(verdict.value)
        elif isinstance(verdict, NeedMore):
            self._need(verdict, len(data), self._front.limits.hello_bytes, "hello")
        else:
            self._refuse(self._front.sniff_answer(verdict))

    # ---- the decision --------------------------------------------------------------------------

    # ---- the end -------------------------------------------------------------------------------

    def _decide(self, found: object) -> None:
        """Leave the connection to the front end, its first bytes still in the socket."""
        self._leave()
        self._wake_at(1)
        front = self._front
        front.parts.discard(self)
        front.route(self._sock, self._arrival, found, self._tls_follows, self._skip, self._gone)

    def _refuse(self, refuse: Refuse) -> None:
        self._leave()
        self._front.parts.discard(self)
        self._front.refuse(self._sock, self._arrival, refuse)

    def _abandon(self, how: str) -> None:
        """Leave a connection that ended before anything could be decided."""
        self._leave()
        self._front.plane.close(self._sock)
        self._front.ended(self, Uncarried(self._arrival, how))

    def _leave(self) -> None:
        self._front.plane.deadline(self, math.inf)
