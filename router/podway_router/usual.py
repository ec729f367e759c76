"""What a Route does to the heads of usual requests, which take the engine's fast lane. Pure.

Only what depends on a head alone can be done there: not a unique id, nothing about the client's
certificate, and nothing that looks at fields of one hop, which the lane has taken out before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from podway_proxy.http.fields import mark
from podway_router import actions, hsts, letter_case, rewriting
from podway_router.entry import heads_of, tls_of
from podway_router.header_values import Fetch, pieces

if TYPE_CHECKING:
    from podway_proxy.http.extras import Usual
    from podway_proxy.values import Endpoint
    from podway_router.entry import RouteEntry, ShardEntry
    from podway_router.sticky import Others, Sticky

OnHead = Callable[[bytes], bytes]
_HOP = actions.FRAMING - {"content-length", "transfer-encoding"}
"""Fields that the lane has taken out, or never meets."""
_HOP_MARKS = frozenset(mark(name.encode()) for name in _HOP)


class Dressed:
    """A Route's cookie, if it has one, with what is done to heads before and after."""

    __slots__ = ("_after", "_before", "_leaving", "_others", "_sticky")

    def __init__(
        self,
        sticky: Sticky | None,
        others: Others,
        leaving: Iterable[OnHead],
        before: OnHead | None,
        after: OnHead | None,
    ) -> None:
        """`leaving`: done to requests; `before` and `after` the cookie is set: to answers."""
        self._sticky = sticky
        self._others = others
        self._leaving = tuple(leaving)
        self._before, self._after = before, after

    def first(self, asked: bytes, client: str) -> Endpoint | None:
        """Give whom to ask; None: that takes more of a look."""
        if self._sticky is not None:
            return self._sticky.first(asked, client)
        pick = self._others.pick
        return None if pick is None else pick.first(client)

    def others(self, asked: bytes, first: Endpoint, client: str) -> Iterator[Endpoint]:
        """Give whom to ask behind the first one."""
        if self._sticky is not None:
            return self._sticky.others(asked, first, client)
        pick = self._others.pick
        return iter(()) if pick is None else pick.others(first, client)

    def leaving(self, head: bytes) -> bytes:
        """Do what is done to requests."""
        for act in self._leaving:
            head = act(head)
        return head

    def coming(
        self, asked: bytes, endpoint: Endpoint, status: int, answer: bytes, end: int
    ) -> bytes:
        """Do what is done to answers, to the head in `answer[:end]`."""
        body = len(answer) - end
        if self._before is not None:
            answer = self._before(answer[:end]) + answer[end:]
        if self._sticky is not None:
            answer = self._sticky.coming(asked, endpoint, status, answer, len(answer) - body)
        if self._after is not None:
            end = len(answer) - body
            answer = self._after(answer[:end]) + answer[end:]
        return answer


def usual_of(
    entry: RouteEntry, shard: ShardEntry, proto: str, sticky: Sticky | None, others: Others
) -> Usual | None:
    """Give what is done to a Route's usual requests; None where they take the general way."""
    heads = heads_of(shard)
    requests = actions.of_requests(entry, heads)
    answers = actions.of_answers(entry, heads, hsts.of(entry, proto))
    told = proto == "https" and bool(tls_of(shard).clients)
    names = heads.names or ()
    if heads.unique_id or told or not _of_heads_alone((*requests, *answers), names):
        return None
    leaving = (
        sticky.leaving if sticky is not None else None,
        rewriting.on_head(*entry.rewrite) if entry.rewrite else None,
        actions.on_head(requests, heads.most),
        letter_case.adjuster(names if entry.adjusts_case else ()),
    )
    before, after = actions.on_head(answers, heads.most), letter_case.adjuster(names)
    return Dressed(sticky, others, (act for act in leaving if act is not None), before, after)


def _of_heads_alone(every: Iterable[actions.Action], names: Iterable[str]) -> bool:
    if any(name.lower() in _HOP for name in names):
        return False
    fetched = {
        piece.mark
        for action in every
        for piece in (pieces(action[1]) if len(action) == 2 else ())
        if isinstance(piece, Fetch)
    }
    return fetched.isdisjoint(_HOP_MARKS)
