"""Header actions of Routes and IngressControllers: fields set and deleted. Pure.

Compiled once per Route into a program on a head's bytes. The controller's actions come first in
requests and last in answers (route/v1, `RouteHTTPHeaders`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.http.fields import END, mark, without
from podway_router.header_values import Fetch, Fill, Piece, pieces

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_proxy.http.response import Response
    from podway_proxy.values import Arrival, Endpoint
    from podway_router.entry import HeadsEntry, RouteEntry
    from podway_router.extras import Incoming, Outgoing

Action = Sequence[str]
"""As an entry has it: [name, value] sets, [name] deletes."""
Program = Callable[[bytes, bytes], bytes]
"""(head, the client's certificate in DER or nothing) → head."""

FRAMING = frozenset(
    (
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    )
)
"""Of one hop, or saying where a body ends: podway writes these itself."""


def fault(action_name: str, value: str | None, request: bool) -> str:
    """Say why an action is left out, though the API takes it; empty where it is not.

    `value` is None for a deletion.
    """
    name = action_name.lower()
    if name in FRAMING:
        return f"{action_name!r} is podway's own to write, for each hop: the action is left out"
    if name == "host" and request and value is None:
        return "a request without Host is none (RFC 9112 section 3.2): the action is left out"
    if value is not None:
        try:
            pieces(value)
        except ValueError as error:
            return f"the value of {action_name!r} {error}: the action is left out"
    return ""


def program(actions: Iterable[Action], most: int) -> Program | None:
    """Compile actions in their order; None where there are none.

    `most`: no head is made longer than this. What would make it so is not set, and a field of its
    name does not pass either.
    """
    steps = [_step(group, most) for group in _groups(actions)]
    if len(steps) < 2:
        return steps[0] if steps else None

    def every(head: bytes, certificate: bytes) -> bytes:
        for step in steps:
            head = step(head, certificate)
        return head

    return every


def of_requests(entry: RouteEntry, heads: HeadsEntry) -> tuple[Action, ...]:
    """Give the actions on a Route's requests, in their order."""
    return (*(heads.request_actions or ()), *(entry.request_actions or ()))


def of_answers(
    entry: RouteEntry, heads: HeadsEntry, first: Iterable[Action] = ()
) -> tuple[Action, ...]:
    """Give the actions on a Route's answers, in their order, behind those that come `first`."""
    return (*first, *(entry.response_actions or ()), *(heads.response_actions or ()))


def on_head(actions: Iterable[Action], most: int) -> Callable[[bytes], bytes] | None:
    """Give what is done to heads where no client shows a certificate."""
    run = program(actions, most)
    return None if run is None else lambda head: run(head, b"")


def outgoing(actions: Iterable[Action], most: int) -> Outgoing | None:
    """Give what is done to requests."""
    run = program(actions, most)
    if run is None:
        return None

    def act(request: Request, arrival: Arrival, head: bytes) -> bytes:
        return run(head, arrival.tls.certificate if arrival.tls is not None else b"")

    return act


def incoming(actions: Iterable[Action], most: int) -> Incoming | None:
    """Give what is done to answers."""
    run = program(actions, most)
    if run is None:
        return None

    def act(
        request: Request,
        arrival: Arrival,
        response: Response,
        endpoint: Endpoint | None,
        head: bytes,
    ) -> bytes:
        return run(head, arrival.tls.certificate if arrival.tls is not None else b"")

    return act


class _Compiled(NamedTuple):
    wanted: bytes
    line: bytes | Fill | None
    """None: the field is deleted."""
    reads: frozenset[bytes] = frozenset()


def _groups(actions: Iterable[Action]) -> list[list[_Compiled]]:
    """Part actions where one reads what one before it writes."""
    groups: list[list[_Compiled]] = []
    written: set[bytes] = set()
    for action in actions:
        made = _compiled(action)
        if not groups or made.reads & written:
            groups.append([])
            written.clear()
        groups[-1].append(made)
        written.add(made.wanted)
    return groups


def _compiled(action: Action) -> _Compiled:
    name = action[0].encode()
    if len(action) == 1:
        return _Compiled(mark(name), None)
    line = (name + b": ", *pieces(action[1]), END)
    fetched = [piece for piece in line if isinstance(piece, Fetch)]
    if fetched:
        return _Compiled(mark(name), _filled(line), frozenset(piece.mark for piece in fetched))
    return _Compiled(mark(name), b"".join(piece for piece in line if isinstance(piece, bytes)))


def _filled(line: Iterable[Piece]) -> Fill:
    """Give what makes a line of its parts."""
    parts = [piece if isinstance(piece, bytes) else piece.filler() for piece in line]

    def fill(head: bytes, low: bytes, certificate: bytes) -> bytes:
        return b"".join(
            [part if isinstance(part, bytes) else part(head, low, certificate) for part in parts]
        )

    return fill


def _step(group: Iterable[_Compiled], most: int) -> Program:
    """Compile actions none of which reads what another wrote; the last on a field counts.

    All values come from the head as it is.
    """
    last = {made.wanted: made.line for made in group}
    marks = tuple(last)
    lines = [line for line in last.values() if line is not None]
    known = [line for line in lines if isinstance(line, bytes)]
    end = b"".join(known) + END if len(known) == len(lines) else None

    def run(head: bytes, certificate: bytes) -> bytes:
        low, came, tail = head.lower(), known, end
        if tail is None:
            came = [
                line if isinstance(line, bytes) else line(head, low, certificate) for line in lines
            ]
            tail = b"".join(came) + END
        for wanted in marks:
            if wanted in low:
                head, low = without(head, low, wanted)
        if len(head) - 2 + len(tail) > most:
            tail = _fitting(came, known, most - len(head)) + END
        return head[:-2] + tail

    return run


def _fitting(came: Iterable[bytes], known: Sequence[bytes], room: int) -> bytes:
    """Give the lines for which there is room: first those that no client can make longer."""
    block = b""
    for line in (*known, *(line for line in came if line not in known)):
        if len(block) + len(line) <= room:
            block += line
    return block
