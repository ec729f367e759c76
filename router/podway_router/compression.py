"""Compression as an IngressController asks for it (`spec.httpCompression.mimeTypes`). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from podway_proxy.http.compression import fits, suits
from podway_proxy.http.extras import Extras
from podway_proxy.http.request import Request
from podway_proxy.http.response import Response
from podway_proxy.values import Arrival, Endpoint

NOTHING = Extras()


def compressed(extras: Extras | None, types: Sequence[str] | None) -> Extras | None:
    """Give the extras of a Route with compression in them; unchanged where there are no types.

    Header actions come first, as in HAProxy: one may forbid it (`Cache-Control: no-transform`).
    """
    if not types:
        return extras
    before = extras or NOTHING
    incoming, suited = before.incoming, suits(types)

    def compress(
        request: Request,
        arrival: Arrival | None,
        response: Response,
        endpoint: Endpoint | None,
        head: bytes,
    ) -> bool:
        if not fits(request, response):
            return False
        if incoming is not None and arrival is not None:
            head = incoming(request, arrival, response, endpoint, head)
        return suited(head)

    return before._replace(compress=compress)
