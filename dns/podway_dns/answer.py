"""The answer function: the fast path where it applies, else the slow one. Pure.

dnslib takes 35 ms to import, so the slow path is imported when the first query needs it.
"""

from __future__ import annotations

from podway_dns import cookied, fast
from podway_dns.asked import Asked
from podway_dns.zone import Snapshot


def answer(message: bytes, asked: Asked, snapshot: Snapshot | None) -> bytes | None:
    """Answer one message; None: it gets no answer at all (too short, or itself an answer).

    Without a snapshot the zones are not loaded yet: SERVFAIL.
    """
    if snapshot is not None:
        reply = fast.answer(message, snapshot, asked.udp, asked.turn)
        if reply is None:
            reply = cookied.answer(message, asked, snapshot)
        if reply is not None:
            return reply
    return slow_answer(message, asked, snapshot)


def slow_answer(message: bytes, asked: Asked, snapshot: Snapshot | None) -> bytes | None:
    """Answer by the slow path."""
    from podway_dns import slow

    return slow.answer(message, asked, snapshot)
