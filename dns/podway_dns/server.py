"""What all transports of a worker share: the snapshot, the two paths, the counting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count

from podway_dns import cookied, fast
from podway_dns.answer import slow_answer
from podway_dns.asked import Asked
from podway_dns.fast import Kept, find
from podway_dns.meter import Meter
from podway_dns.policy import Client, Policy
from podway_dns.zone import Snapshot

ANSWERS_KEPT = 16_384
"""Whole answers kept per snapshot for queries that come again: about 6 MB."""
Later = Callable[[bytes], None]
Slot = Callable[[int], bytes]


class Server:
    """Answers messages from the current snapshot; None until the first load is complete."""

    __slots__ = ("_turn", "_turns", "meter", "policy", "secret", "snapshot")

    def __init__(self, meter: Meter, policy: Policy, secret: bytes) -> None:
        self.snapshot: Snapshot | None = None
        self.meter = meter
        self.policy = policy
        self.secret = secret
        self._turn = 0
        self._turns: Iterator[int] = count()

    def answer(self, message: bytes, client: Client, later: Later) -> bytes | None:
        """Answer one message of a stream; None: no answer; empty: it comes by `later`."""
        start = time.perf_counter_ns()
        self._turn = turn = (self._turn + 1) & 0xFFFF
        self.meter.add(f"queries_total:transport={client.transport}")
        snapshot = self.snapshot
        reply = None if snapshot is None else fast.answer(message, snapshot, False, turn)
        if reply is not None:
            self.meter.add("paths_total:path=fast")
            self.meter.answered(reply)
        else:
            reply = self._slowly(message, client.address, udp=False) or None
        self.meter.took(client.transport, time.perf_counter_ns() - start, 1)
        if reply is not None and self.policy.active:
            return self.policy.treat(snapshot, message, reply, client, None, later)
        return reply

    def answer_batch(
        self, questions: list[bytes], ident: Slot, address: Slot
    ) -> tuple[list[bytes], list[Kept | None]]:
        """Answer datagrams, slot by slot, both without their ids; an empty reply is none.

        `ident(slot)` and `address(slot)` give an id and a sender's packed address. The second list
        tells what the fast path found for each.
        """
        known = {} if self.snapshot is None else self.snapshot.answers
        founds = list(map(known.get, questions))
        found = all(founds)
        picked = filter(None, founds) if found else self._fill(founds, questions, ident, address)
        turns = self._turns
        replies = [
            whole or front + bodies[next(turns) % len(bodies)] + opt
            for whole, bodies, front, _, opt in picked
        ]
        self.meter.batch(founds)
        return replies, founds

    def _fill(
        self, founds: list[Kept | None], questions: list[bytes], ident: Slot, address: Slot
    ) -> Iterable[Kept]:
        """Find what was not kept, and keep it; give all that is sent, the slow path's included."""
        picked = []
        for slot, found in enumerate(founds):
            if found is None:
                message = ident(slot) + questions[slot]
                found = founds[slot] = self._find(message)
                if found is None:
                    reply = self._slowly(message, address(slot), udp=True)
                    found = (b"", (reply[2:],), b"", b"", b"")
            picked.append(found)
        return picked

    def _find(self, message: bytes) -> Kept | None:
        """Find a datagram's answer by the fast path, and keep it for the same question."""
        snapshot = self.snapshot
        found = None if snapshot is None else find(message, snapshot, True)
        if snapshot is None or found is None:
            return None
        front, bodies, opt, tally = found
        single = len(bodies) == 1
        whole = front + bodies[0] + opt if single else b""
        kept = (whole, bodies, b"", tally, b"") if single else (b"", bodies, front, tally, opt)
        if len(snapshot.answers) < ANSWERS_KEPT:
            snapshot.answers[message[2:]] = kept
        return kept

    def _slowly(self, message: bytes, client: bytes, *, udp: bool) -> bytes:
        """Answer what is not plain: with a cookie, or by the slow path; empty: no answer."""
        self._turn += 1
        asked = Asked(udp, client, int(time.time()), self._turn, self.secret)
        snapshot = self.snapshot
        reply = None if snapshot is None else cookied.answer(message, asked, snapshot)
        self.meter.add(f"paths_total:path={'slow' if reply is None else 'fast'}")
        if reply is None:
            reply = slow_answer(message, asked, snapshot)
        if reply is None:
            self.meter.add("dropped_total:reason=malformed")
            return b""
        self.meter.answered(reply)
        return reply
