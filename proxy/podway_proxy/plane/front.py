"""The front end of TCP: from an accepted connection to a relay, or to a refusal that says why."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from podway_proxy.limits import Limits
from podway_proxy.log import Log
from podway_proxy.plane.parting import Farewell
from podway_proxy.plane.reception import Reception
from podway_proxy.plane.sweep import Sweep
from podway_proxy.plane.tunnel import Closed, Tunnel, Uncarried
from podway_proxy.restraint import Restraint
from podway_proxy.values import NO_TLVS, Address, Arrival, Decision, Forward, Refuse
from podway_proxy.verdict import Reject, Verdict

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane

T = TypeVar("T")
arrived: Final = tuple.__new__
"""Makes an `Arrival` of its fields; calling the class itself takes three times as long."""


def unchanged(refuse: Refuse) -> Refuse:
    """Refuse a client that no endpoint could be found for without a word."""
    return refuse


def without_words(reject: Reject) -> Refuse:
    """Refuse what a sniffer rejected without a word to the peer."""
    return Refuse("hello", reject.reason)


class TcpFront(Generic[T]):
    """Takes accepted connections through these stages, each with its deadline.

    1. `takes_proxy` given: the TCP peer must be trusted (`takes_proxy(host)`) and begin with a
       PROXY header, which is swallowed; anybody else is closed.
    2. `preamble` given: what it finds is swallowed and answered (PostgreSQL's SSLRequest).
    3. `sniff` given: it is fed what has come so far (peeked, so the endpoint gets it all) until
       it finds or rejects; `sniff_answer` turns its rejection into a refusal.
    4. `decide(arrival, found, preamble)`: `found` is what `sniff` found, None without a sniffer;
       `preamble` tells whether the second stage answered one that goes on.
    5. Dial with fail-over; the client's first bytes ride with the prefix; then a relay.

    `local` is the address of the listening socket when it is bound to one address; without it
    every connection is asked for its own. `source` is the address to connect from. `refused`
    turns a failed dial into the refusal that the client is given. `on_closed` is told how each
    connection ended.
    """

    def __init__(
        self,
        plane: Plane,
        *,
        decide: Callable[[Arrival, T | None, bool], Decision],
        sniff: Callable[[bytes], Verdict[T]] | None = None,
        sniff_answer: Callable[[Reject], Refuse] = without_words,
        preamble: Callable[[bytes], Verdict[Any]] | None = None,
        takes_proxy: Callable[[str], bool] | None = None,
        limits: Limits | None = None,
        log: Log | None = None,
        local: Address | None = None,
        source: str = "",
        refused: Callable[[Refuse], Refuse] = unchanged,
        on_closed: Callable[[Closed], None] | None = None,
    ) -> None:
        self.plane = plane
        self.decide = decide
        self.sniff = sniff
        self.sniff_answer = sniff_answer
        self.preamble = preamble
        self.takes_proxy = takes_proxy
        self._hears_first = any((takes_proxy, preamble, sniff))
        """There is something to hear from a client before the decision."""
        self.limits = plane.limits if limits is None else limits
        self.log = log
        self._debugs = log is not None and log.debugging
        self._refusals = None if log is None else Restraint(plane, log)
        self.local = local
        self.source = source
        self.refused = refused
        self.on_closed = on_closed
        self.parts: set[Reception | Tunnel] = set()
        """The connections: each puts itself in and takes itself out."""
        self.sweep = Sweep(plane, self.parts, plane.limits.fin_timeout)
        """Sees to the idle time-outs of all of them."""
        self._drained: Callable[[], None] | None = None

    @property
    def active(self) -> int:
        """Connections that have not ended."""
        return len(self.parts)

    def accept(self, sock: socket.socket, peer: Address) -> None:
        """Take over an accepted, non-blocking connection."""
        if self._hears_first:
            Reception(self, sock, peer)
        else:
            local = self.local
            if local is None:
                local = self.local_of(sock)
            self.route(sock, arrived(Arrival, (peer, local, peer, NO_TLVS, None)), None)

    def drain(self, drained: Callable[[], None] | None = None) -> None:
        """Call `drained()` when the last connection has ended; at once if there is none.

        TCP has no word for "please go elsewhere": connections go on until they end.
        """
        self._drained = drained
        self._tell_drained()

    def stop(self) -> None:
        """Cut all connections (the drain's time is up)."""
        for part in tuple(self.parts):
            part.stop()

    # ---- called by the front end's connections -------------------------------------------------

    def local_of(self, sock: socket.socket) -> Address:
        """Give the address that the client of `sock` connected to."""
        if self.local is not None:
            return self.local
        host, port = sock.getsockname()[:2]
        return (host, port)

    def route(
        self,
        sock: socket.socket,
        arrival: Arrival,
        found: Any,
        preamble: bool = False,
        skip: int = 0,
        gone: bool = False,
    ) -> None:
        """Decide about a connection and carry that out.

        `skip` bytes at the start of the socket's queue are dealt with; `gone`: the client has sent
        all that it will send.
        """
        try:
            decision = self.decide(arrival, found, preamble)
        except BaseException:
            self.plane.abort(sock)  # a fault of ours must not leave the client hanging
            self.note(Uncarried(arrival, "stopped"))
            raise
        if isinstance(decision, Forward):
            self._carry(Tunnel(self, sock, arrival, decision), skip, gone)
        elif isinstance(decision, Refuse):
            self.refuse(sock, arrival, decision)
        else:
            if skip:
                sock.recv(skip)
            decision.take(sock, arrival)

    def _carry(self, tunnel: Tunnel, skip: int, gone: bool) -> None:
        try:
            tunnel.carry(skip, gone)
        except BaseException:
            tunnel.stop()  # as above
            raise

    def refuse(
        self, sock: socket.socket, arrival: Arrival, refuse: Refuse, label: str = ""
    ) -> None:
        """Give a client its answer, if there is one, and close."""
        if refuse.answer:
            Farewell(self.plane, sock, refuse.answer)
        else:
            self.plane.close(sock)
        self.note(Uncarried(arrival, "refused", label, refuse))

    def ended(self, part: Reception | Tunnel, closed: Closed) -> None:
        """Note that a connection has ended."""
        self.parts.discard(part)
        if self.on_closed is not None:
            self.on_closed(closed)
        if self._debugs or self._drained is not None or closed.refused is not None:
            self._note_more(closed)

    def note(self, closed: Closed) -> None:
        """Tell how a connection has ended that is no part."""
        if self.on_closed is not None:
            self.on_closed(closed)
        self._note_more(closed)

    def _note_more(self, closed: Closed) -> None:
        if closed.refused is not None:
            self._tell_refusal(closed.arrival, closed.refused)
        elif self.log is not None and self._debugs:
            self._tell(self.log, closed)
        if self._drained is not None:
            self._tell_drained()

    def _tell_refusal(self, arrival: Arrival, refused: Refuse) -> None:
        if self._refusals is not None:
            host, port = arrival.client
            self._refusals.info(
                "refused", client=f"{host}:{port}", step=refused.step, reason=refused.reason
            )

    def _tell(self, log: Log, closed: Closed) -> None:
        host, port = closed.arrival.client
        log.debug(
            "closed",
            client=f"{host}:{port}",
            how=closed.how,
            to=str(closed.endpoint or ""),
            by=closed.label,
            received=closed.to_server,
            sent=closed.to_client,
        )

    def _tell_drained(self) -> None:
        if not self.parts and self._drained is not None:
            drained, self._drained = self._drained, None
            drained()
