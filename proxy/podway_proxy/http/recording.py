"""Records of requests, made of what client and exchange know at their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from podway_proxy.http.access import AccessRecord
from podway_proxy.http.watched import WatchedExchange
from podway_proxy.values import Address

if TYPE_CHECKING:
    from podway_proxy.http.answer import Answer
    from podway_proxy.http.answering import Answering
    from podway_proxy.http.exchange import Exchange

NOBODY: Final = ("", 0)
"""In a record, a client that is not known (its PROXY header did not come)."""


def address_of(client: Answering) -> Address:
    """Give the client's own address, as its PROXY header or its socket says."""
    return client.arrival.client if client.arrival is not None else NOBODY


def record(
    client: Answering,
    exchange: Exchange,
    status: int,
    answer: Answer | None,
    now: float,
    page: int = 0,
) -> AccessRecord:
    """Make the record of a request that has ended at `now`.

    `answer` is what we said in the endpoint's place, in `page` bytes.
    """
    request = client.request
    watched = None
    if isinstance(exchange, WatchedExchange):
        watched = exchange.seen(request, client.began, page)
    step, reason, label = (answer.step, answer.reason, answer.label) if answer else ("", "", "")
    return AccessRecord(
        address_of(client),
        request,
        status,
        step,
        reason,
        exchange.target.label or label,
        exchange.endpoint,
        now - client.began,
        exchange.attempts,
        client.arrival,
        watched,
    )


def unread(
    client: Answering, exchange: Exchange, answer: Answer, now: float, page: int = 0
) -> AccessRecord:
    """Make the record of bytes that did not become a request, or of none at all."""
    watched = None
    if isinstance(exchange, WatchedExchange):
        watched = exchange.seen(None, now, page)._replace(received=len(client.buffer))
    address = address_of(client)
    status, step, reason = answer.status, answer.step, answer.reason
    return AccessRecord(
        address, None, status, step, reason, "", None, 0.0, 0, client.arrival, watched
    )
