"""The same facts by name, for the daemon's own log (`--access-log`): text or JSON. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podway_router.access.facts import Facts

if TYPE_CHECKING:
    from podway_proxy.plane.tunnel import Closed


def request(facts: Facts) -> dict[str, object]:
    """Give what is said of a request; the README names each."""
    record = facts.record
    tls = record.arrival.tls if record.arrival is not None else None
    return {
        "client": record.client[0],
        "client_port": record.client[1],
        "method": record.method,
        "host": record.host,
        "target": record.target,
        "version": facts.line[2] if record.request is not None else "",
        "status": record.status,
        "step": record.step,
        "state": record.state + facts.persistence,
        "by": record.label,
        "endpoint": str(record.endpoint or ""),
        "seconds": record.seconds,
        "attempts": record.attempts,
        "received": facts.watched.received,
        "sent": facts.watched.sent,
        "frontend": facts.names.frontend,
        "tls": tls.protocol if tls is not None else "",
        "server_name": (tls.server_name or "") if tls is not None else "",
        "read_ms": facts.reading,
        "queue_ms": facts.waiting,
        "connect_ms": facts.connecting,
        "response_ms": facts.responding,
        "total_ms": facts.active,
    }


def connection(closed: Closed) -> dict[str, object]:
    """Give what is said of a connection that was handed through."""
    return {
        "client": closed.arrival.client[0],
        "client_port": closed.arrival.client[1],
        "by": closed.label,
        "endpoint": str(closed.endpoint or ""),
        "how": closed.how,
        "step": closed.refused.step if closed.refused is not None else "",
        "received": closed.to_server,
        "sent": closed.to_client,
    }
