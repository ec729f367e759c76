"""What all transports of a worker share: the snapshot, the two paths, the counting."""

from __future__ import annotations

import time
from collections.abc import Callable

from podway_dns import cookied, fast
from podway_dns.answer import slow_answer
from podway_dns.asked import Asked
from podway_dns.fast import Found, find
from podway_dns.meter import Meter
from podway_dns.policy import Client, Policy
from podway_dns.zone import Snapshot

ANSWERS_KEPT = 16_384
"""Whole answers kept per snapshot for queries that come again: about 6 MB."""
Later = Callable[[bytes], None]


class Server:
    """Answers messages from the current snapshot; None until the first load is complete."""

    __slots__ = ("_turn", "meter", "policy", "secret", "snapshot")

    def __init__(self, meter: Meter, policy: Policy, secret: bytes) -> None:
        self.snapshot: Snapshot | None = None
        self.meter = meter
        self.policy = policy
        self.secret = secret
        self._turn = 0

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
        self, messages: list[bytes], address: Callable[[int], bytes]
    ) -> tuple[list[bytes], list[Found | None]]:
        """Answer datagrams, slot by slot; an empty reply is none.

        `address(slot)` gives a sender's packed address. The second list tells what the fast path
        found for each.
        """
        snapshot = self.snapshot
        known = {} if snapshot is None else snapshot.answers
        turn = self._turn
        replies: list[bytes] = []
        founds: list[Found | None] = []
        for message in messages:
            found = known.get(message[2:])
            if found is None:
                found = None if snapshot is None else find(message, snapshot, True)
                if found is None:
                    replies.append(self._slowly(message, address(len(replies)), udp=True))
                    founds.append(None)
                    continue
                if len(known) < ANSWERS_KEPT:
                    known[message[2:]] = found
            front, bodies, opt, _ = found
            turn += 1
            replies.append(message[:2] + front + bodies[turn % len(bodies)] + opt)
            founds.append(found)
        self._turn = turn & 0xFFFF
        self.meter.batch(founds)
        return replies, founds

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
