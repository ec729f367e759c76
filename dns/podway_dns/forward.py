"""Names that are not ours, for clients that may ask: handed to the given resolvers.

Clients that ask the same at the same time share one question; answers are kept (`cache`).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network

from podway_dns import sections
from podway_dns.cache import Cache
from podway_dns.exchange import Exchange
from podway_dns.packing import EDNS_SIZE
from podway_dns.query import Query
from podway_dns.records import REFUSED, SERVFAIL
from podway_dns.sections import Message
from podway_proxy.plane.plane import Plane
from podway_proxy.values import Address

TRY_SECONDS = 1.5
"""For one resolver, before the next one is asked: a client asks again after some 5 s."""
TRIES = 3
MOST_IN_FLIGHT = 1000
"""Questions on their way per worker; beyond that SERVFAIL."""
MOST_CLIENTS = 10_000
"""Addresses of which it is remembered whether they may ask."""
Reply = Callable[[Message], None]


class Forwarder:
    """Asks the resolvers of `--forward` for the clients of `--forward-allow`."""

    def __init__(self, plane: Plane, resolvers: list[Address], allow: list[str]) -> None:
        self.plane = plane
        self.resolvers = resolvers
        self._networks = [ip_network(text, strict=False) for text in allow]
        self._known: dict[bytes, bool] = {}
        self._cache = Cache()
        self._asking: dict[bytes, _Question] = {}

    def serves(self, client: bytes) -> bool:
        """Tell whether this client (a packed address) may have names resolved."""
        known = self._known.get(client)
        if known is None:
            address = IPv4Address(client) if len(client) == 4 else IPv6Address(client)
            known = any(address in network for network in self._networks)
            if len(self._known) < MOST_CLIENTS:
                self._known[client] = known
        return known

    def ask(self, query: Query, reply: Reply) -> Message | None:
        """Answer from the cache, or None: the answer comes by `reply`.

        The answer has no OPT record, and its id is not the query's.
        """
        do = query.edns is not None and query.edns.do
        key = query.name + query.question[-4:] + bytes((query.message[3] & 0x10, do))
        kept = self._cache.get(key, self.plane.now)
        if kept is not None:
            return sections.read(kept)
        waiting = self._asking.get(key)
        if waiting is not None:
            waiting.replies.append(reply)
            return None
        if len(self._asking) >= MOST_IN_FLIGHT:
            return failure(query.question)
        question = self._asking[key] = _Question(self, key, query, do)
        question.replies.append(reply)
        question.next_try()
        return None

    def done(self, key: bytes, message: Message, *, keep: bool) -> None:
        """Hand an answer to all that wait for it."""
        question = self._asking.pop(key)
        if keep:
            self._cache.put(key, message, self.plane.now)
        for reply in question.replies:
            reply(message)


def failure(question: bytes) -> Message:
    """Build SERVFAIL for a question."""
    return sections.read(b"\0\0\x81" + bytes((0x80 | SERVFAIL,)) + b"\0\1" + bytes(6) + question)


class _Question:
    """One question on its way: tries one resolver after the other."""

    __slots__ = ("_body", "_key", "_owner", "_question", "_tried", "replies")

    def __init__(self, owner: Forwarder, key: bytes, query: Query, do: bool) -> None:
        self.replies: list[Reply] = []
        self._owner = owner
        self._key = key
        self._question = query.question
        flags = bytes((1, query.message[3] & 0x10))  # RD, and the client's CD
        opt = b"\0\0\x29" + EDNS_SIZE.to_bytes(2, "big") + b"\0\0" + bytes((do << 7, 0, 0, 0))
        self._body = flags + b"\0\1\0\0\0\0\0\1" + query.question + opt
        self._tried = 0

    def next_try(self) -> None:
        """Ask the next resolver, or give up."""
        if self._tried >= TRIES:
            self._owner.done(self._key, failure(self._question), keep=False)
            return
        self._tried += 1
        self._exchange(stream=False)

    def _exchange(self, *, stream: bool) -> None:
        resolvers = self._owner.resolvers
        address = resolvers[(self._tried - 1) % len(resolvers)]
        answer = self._whole if stream else self._datagram
        Exchange(
            self._owner.plane, address, self._body, answer, self.next_try,
            stream=stream, seconds=TRY_SECONDS,
        )  # fmt: skip

    def _datagram(self, message: Message) -> None:
        if message.data[2] & 2:  # TC
            self._exchange(stream=True)
        else:
            self._whole(message)

    def _whole(self, message: Message) -> None:
        if message.rcode in (SERVFAIL, REFUSED) and self._tried < TRIES:
            self.next_try()
        else:
            self._owner.done(self._key, message, keep=True)
