"""What all transports of a worker share: the snapshot, the answer, the counting."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from podway_dns import fast
from podway_dns.answer import slow_answer
from podway_dns.asked import Asked
from podway_dns.fast import find
from podway_dns.meter import Meter
from podway_dns.mmsg import Batch
from podway_dns.zone import Snapshot
from podway_proxy.counters import Counters

ANSWERS_KEPT = 8192
"""Whole answers kept per snapshot for queries that come again: about 3 MB."""


class Server:
    """Answers messages from the current snapshot; None until the first load is complete."""

    __slots__ = ("_turn", "meter", "secret", "snapshot")

    def __init__(self, options: Mapping[str, Any], counters: Counters) -> None:
        self.snapshot: Snapshot | None = None
        self.meter = Meter(counters)
        self.secret = bytes.fromhex(options["cookie_secret"])
        self._turn = 0

    def answer(self, message: bytes, client: bytes, *, udp: bool) -> bytes | None:
        """Answer one message from `client` (its packed address); None: no answer."""
        self._turn = turn = (self._turn + 1) & 0xFFFF
        snapshot = self.snapshot
        reply = None if snapshot is None else fast.answer(message, snapshot, udp, turn)
        if reply is not None:
            self.meter.add("paths_total:path=fast")
            self.meter.answered(reply)
            return reply
        asked = Asked(udp, client, int(time.time()), turn, self.secret)
        return self._counted(slow_answer(message, asked, snapshot))

    def answer_batch(self, batch: Batch, count: int) -> None:
        """Answer the datagrams of a batch."""
        snapshot = self.snapshot
        if snapshot is None:
            messages = enumerate(batch.messages(count))
            batch.send([self._slowly(each, batch.address(slot)) for slot, each in messages])
            return
        known, turn = snapshot.answers, self._turn
        replies: list[bytes] = []
        tallies: list[bytes] = []
        for message in batch.messages(count):
            found = known.get(message[2:])
            if found is None:
                found = find(message, snapshot, True)
                if found is None:
                    replies.append(self._slowly(message, batch.address(len(replies))))
                    continue
                if len(known) < ANSWERS_KEPT:
                    known[message[2:]] = found
            front, bodies, opt, tally = found
            turn += 1
            replies.append(message[:2] + front + bodies[turn % len(bodies)] + opt)
            tallies.append(tally)
        lost = batch.send(replies)
        self._turn = turn & 0xFFFF
        self.meter.batch(count, tallies, lost)

    def _slowly(self, message: bytes, client: bytes) -> bytes:
        """Answer a datagram by the slow path; empty: no answer."""
        asked = Asked(True, client, int(time.time()), self._turn, self.secret)
        return self._counted(slow_answer(message, asked, self.snapshot)) or b""

    def _counted(self, reply: bytes | None) -> bytes | None:
        self.meter.add("paths_total:path=slow")
        if reply is None:
            self.meter.add("dropped_total:reason=malformed")
        else:
            self.meter.answered(reply)
        return reply
