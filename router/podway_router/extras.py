"""What Route and controller ask for beyond carrying a request, put together once per Route. Pure.

Each option is a `Part` that some module makes of the entries, or None where nothing is asked for;
`extras_of` lists them in the order in which they act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from podway_proxy.http.extras import Extras, Usual
from podway_proxy.http.request import Request
from podway_proxy.http.response import Response
from podway_proxy.values import Arrival, Endpoint
from podway_router import actions, client_certificate, hsts, letter_case, rewriting, unique_id
from podway_router.compression import compressed
from podway_router.entry import RouteEntry, ShardEntry, heads_of, tls_of
from podway_router.sticky import NOBODY, Others, Sticky
from podway_router.usual import usual_of
from podway_router.ways import Way

Outgoing = Callable[[Request, Arrival, bytes], bytes]
"""The request's head as it would go to the endpoint → as it goes."""
Incoming = Callable[[Request, Arrival, Response, Endpoint | None, bytes], bytes]
"""The final answer's head as it would go to the client → as it goes."""
Choose = Callable[[Request, Arrival], Iterator[Endpoint]]
"""The candidates of one request."""


class Part(NamedTuple):
    """One option's work on requests, on answers, or on both."""

    outgoing: Outgoing | None = None
    incoming: Incoming | None = None
    choose: Choose | None = None


def extras_of(
    way: Way,
    shard: ShardEntry,
    proto: str,
    others: Others = NOBODY,
) -> Extras | None:
    """Give what a Route's requests need; `proto` is what their clients speak, http or https.

    `others` are the endpoints for a client about whom nothing but the address is known.
    """
    rest = (*_heads(way.entry, shard, proto), _names(way.entry, shard))
    plain = joined(rest) is None
    if way.entry.cookie is None:
        usual = None if plain else usual_of(way.entry, shard, proto, None, others)
        return _with_usual(joined(rest), usual, shard)
    # The cookie is taken out before anything else is done to requests, and set late in answers.
    sticky = Sticky(way.namespace, way.entry, others)
    out = Part(outgoing=sticky.outgoing, choose=sticky.choose)
    found = joined((out, *rest[:-1], Part(incoming=sticky.incoming), rest[-1]))
    usual = sticky if plain else usual_of(way.entry, shard, proto, sticky, others)
    return _with_usual(found, usual, shard)


def _with_usual(found: Extras | None, usual: Usual | None, shard: ShardEntry) -> Extras | None:
    """Let usual requests take the fast lane, unless answers are to be compressed."""
    if found is None or shard.compressed:
        return compressed(found, shard.compressed)
    return found._replace(usual=usual)


def _heads(entry: RouteEntry, shard: ShardEntry, proto: str) -> Iterable[Part | None]:
    """Give what Route and controller do to heads, in the order in which it acts."""
    heads = heads_of(shard)
    most = heads.most
    yield Part(rewriting.outgoing(*entry.rewrite)) if entry.rewrite else None
    if proto == "https" and tls_of(shard).clients:
        yield Part(client_certificate.outgoing)
    if heads.unique_id:
        ids = unique_id.ids_of(heads.unique_id_format)
        yield Part(unique_id.outgoing(heads.unique_id, ids, most))
    requests = actions.of_requests(entry, heads)
    answers = actions.of_answers(entry, heads, hsts.of(entry, proto))
    yield Part(actions.outgoing(requests, most), actions.incoming(answers, most))


def _names(entry: RouteEntry, shard: ShardEntry) -> Part:
    names = heads_of(shard).names or ()
    asked = names if entry.adjusts_case else ()
    return Part(letter_case.outgoing(asked), letter_case.incoming(names))


def joined(parts: Iterable[Part | None]) -> Extras | None:
    """Put parts together in their order; None where no part does anything."""
    there = [part for part in parts if part is not None]
    choose = next((part.choose for part in there if part.choose is not None), None)
    outgoing = _each_outgoing([part.outgoing for part in there if part.outgoing is not None])
    incoming = _each_incoming([part.incoming for part in there if part.incoming is not None])
    if outgoing is None and incoming is None and choose is None:
        return None
    return Extras(outgoing, incoming, choose)


def _each_outgoing(steps: list[Outgoing]) -> Outgoing | None:
    """Give one function for all; one step alone is called directly."""
    if len(steps) < 2:
        return steps[0] if steps else None

    def every(request: Request, arrival: Arrival, head: bytes) -> bytes:
        for step in steps:
            head = step(request, arrival, head)
        return head

    return every


def _each_incoming(steps: list[Incoming]) -> Incoming | None:
    if len(steps) < 2:
        return steps[0] if steps else None

    def every(
        request: Request,
        arrival: Arrival,
        response: Response,
        endpoint: Endpoint | None,
        head: bytes,
    ) -> bytes:
        for step in steps:
            head = step(request, arrival, response, endpoint, head)
        return head

    return every
