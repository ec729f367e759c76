"""`spec.httpHeaders.headerNameCaseAdjustments`: field names for peers that heed their case. Pure.

In answers to clients always; in requests for Routes with the annotation
`haproxy.router.openshift.io/h1-adjust-case: "true"`. Other names stay as they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from podway_proxy.http.fields import mark, renamed

if TYPE_CHECKING:
    from collections.abc import Callable

    from podway_router.extras import Incoming, Outgoing


def adjuster(names: Iterable[str]) -> Callable[[bytes], bytes] | None:
    """Give what writes these names as they are given; None where there are none."""
    pairs = [(mark(name.encode()), name.encode()) for name in names]
    if not pairs:
        return None

    def adjust(head: bytes) -> bytes:
        low = head.lower()
        for wanted, name in pairs:
            if wanted in low:
                head = renamed(head, low, wanted, name)
        return head

    return adjust


def outgoing(names: Iterable[str]) -> Outgoing | None:
    """Give what is done to requests."""
    adjust = adjuster(names)
    if adjust is None:
        return None
    return lambda request, arrival, head: adjust(head)


def incoming(names: Iterable[str]) -> Incoming | None:
    """Give what is done to answers."""
    adjust = adjuster(names)
    if adjust is None:
        return None
    return lambda request, arrival, response, endpoint, head: adjust(head)
