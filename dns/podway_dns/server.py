"""What all transports of a worker share: the snapshot, the answer, the counting."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from podway_dns import fast
from podway_dns.answer import slow_answer
from podway_dns.asked import Asked
from podway_dns.meter import Meter
from podway_dns.zone import Snapshot
from podway_proxy.counters import Counters


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
        if reply is None:
            asked = Asked(udp, client, int(time.time()), turn, self.secret)
            reply = slow_answer(message, asked, snapshot)
            self.meter.add("paths_total:path=slow")
        else:
            self.meter.add("paths_total:path=fast")
        if reply is None:
            self.meter.add("dropped_total:reason=malformed")
        else:
            self.meter.answered(reply)
        return reply
