"""`spec.httpHeaders.uniqueId`: a field that names one request, for the pod and the log.

The format is HAProxy's log format, as far as it is known when a request has come; what each item
gives was read off HAProxy 2.6.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from socket import AF_INET, AF_INET6, gethostname, inet_pton
from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.http.fields import END, mark, with_lines, without
from podway_proxy.values import Address, Arrival
from podway_router.header_values import MOST, Fetch, pieces

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_router.extras import Outgoing

FORMAT = "%{+X}o %ci:%cp_%fi:%fp_%Ts_%rt:%pid"
"""Where the controller gives none (cluster-ingress-operator)."""
_ITEM = re.compile(
    r"%(?:(?P<percent>%)|(?:\{(?P<flags>[-+QXE,]*)\})?(?:(?P<name>[A-Za-z]+)|(?P<fetch>\[[^\]]*\])))"
    r"|(?P<text>[^%\x00-\x1f\x7f]+)"
)
_SPACES = re.compile(r"\\? +").sub
"""Several are one; the API's own example has a backslash in front of one."""
_number = count().__next__
"""The requests of this process that were given an id."""
_KEPT = 64
"""Formats that are compiled once for all Routes."""
_CONNECTIONS = 1_024
"""Of which the unchanging part is remembered."""


class Moment(NamedTuple):
    """What an id is made of."""

    request: Request
    arrival: Arrival
    number: int
    """Of the request in this process, from 0."""
    now: float
    """Seconds since 1970."""


Item = Callable[[Moment], bytes]
Known = Callable[[Arrival], bytes]
"""What does not change while a connection lasts."""


def _hex_address(host: str) -> bytes:
    return inet_pton(AF_INET6 if ":" in host else AF_INET, host).hex().upper().encode()


def _date(pattern: str) -> Item:
    return lambda moment: time.strftime(pattern, time.gmtime(moment.now)).encode()


_KNOWN: dict[str, tuple[Known, Known]] = {
    "ci": (lambda it: it.client[0].encode(), lambda it: _hex_address(it.client[0])),
    "cp": (lambda it: b"%d" % it.client[1], lambda it: b"%04X" % it.client[1]),
    "fi": (lambda it: it.local[0].encode(), lambda it: _hex_address(it.local[0])),
    "fp": (lambda it: b"%d" % it.local[1], lambda it: b"%04X" % it.local[1]),
    "pid": (lambda _: b"%d" % os.getpid(), lambda _: b"%04X" % os.getpid()),
    "H": (lambda _: gethostname().encode(), lambda _: gethostname().encode()),
}
"""Item → as it is, and with the flag X."""
_NUMBERS: dict[str, tuple[Item, Item]] = {
    "Ts": (lambda it: b"%d" % it.now, lambda it: b"%04X" % int(it.now)),
    "rt": (lambda it: b"%d" % it.number, lambda it: b"%04X" % it.number),
}
_TEXTS: dict[str, Item] = {
    "HM": lambda moment: moment.request.method,
    "HP": lambda moment: moment.request.path,
    "HPO": lambda moment: moment.request.path,
    "HQ": lambda moment: moment.request.target[len(moment.request.path) :],
    "HU": lambda moment: moment.request.target,
    "HV": lambda moment: b"HTTP/%d.%d" % moment.request.version,
    "ms": lambda moment: b"%03d" % (moment.now % 1 * 1000),
    "T": _date("%d/%b/%Y:%H:%M:%S +0000"),
}
_SAMPLES = {
    "src": "ci",
    "src_port": "cp",
    "dst": "fi",
    "dst_port": "fp",
    "hostname": "H",
    "method": "HM",
    "path": "HP",
    "url": "HU",
}
"""`%[src]` and so on → the items that are the same."""
ITEMS = (*_KNOWN, *_NUMBERS, *_TEXTS)
"""What a format may name, besides `%[src]` and so on, `%[uuid]`, values of header actions."""


def _uuid() -> bytes:
    import uuid  # only here: every worker's start would pay for it

    return str(uuid.uuid4()).encode()


def items(text: str) -> tuple[Item, ...]:
    """Compile a format. Raises ValueError, saying why, where that can't be."""
    found: list[Item] = []
    run: list[Known] = []
    hexadecimal, at, count = False, 0, 0
    while at < len(text):
        match = _ITEM.match(text, at)
        if match is None:
            raise ValueError(f"{text[at : at + 20]!r} is not understood")
        at, count = match.end(), count + 1
        flags = match["flags"] or ""
        if match["name"] == "o":  # flags from here on
            hexadecimal = _on(flags, hexadecimal)
            continue
        known = _known(match, _on(flags, hexadecimal), first=not (found or run))
        if known is not None:
            run.append(known)
            continue
        found += _joined(run)
        run = []
        found.append(_item(match, _on(flags, hexadecimal)))
    if count > MOST:
        raise ValueError(f"has more than {MOST} parts")
    return (*found, *_joined(run))


def _joined(run: list[Known]) -> list[Item]:
    """Make one item of several that do not change while a connection lasts: made once for each."""
    if not run:
        return []

    @lru_cache(_CONNECTIONS)
    def known(client: Address, local: Address) -> bytes:
        arrival = Arrival(client, local, client)
        return b"".join([one(arrival) for one in run])

    return [lambda moment: known(moment.arrival.client, moment.arrival.local)]


def _on(flags: str, before: bool) -> bool:
    """Tell whether X is on behind these flags."""
    for flag in flags.split(","):
        if flag[-1:] == "X":
            before = flag[0] != "-"
    return before


def _known(match: re.Match[str], hexadecimal: bool, *, first: bool) -> Known | None:
    name = _name(match)
    if match["percent"] or match["text"]:
        text = _SPACES(" ", match["text"] or "%")
        literal = (text.lstrip(" ") if first else text).encode("utf-8", "replace")
        return lambda _: literal
    return _KNOWN[name][hexadecimal and match["fetch"] is None] if name in _KNOWN else None


def _name(match: re.Match[str]) -> str | None:
    """Give the item that is meant; None for `%[…]` that is no item's."""
    return _SAMPLES.get((match["fetch"] or "")[1:-1], match["name"])


def _item(match: re.Match[str], hexadecimal: bool) -> Item:
    name = _name(match)
    if name is None:
        fetch, flags = match["fetch"], match["flags"]
        if fetch in ("[uuid]", "[uuid()]"):
            return lambda _: _uuid()
        return _fetched(f"%{{{flags}}}{fetch}" if flags else f"%{fetch}")
    if name in _NUMBERS:
        return _NUMBERS[name][hexadecimal]
    if name not in _TEXTS:
        raise ValueError(f"%{name} is not known here: use {', '.join('%' + one for one in ITEMS)}")
    return _TEXTS[name]


def _fetched(text: str) -> Item:
    """Read a field's last value or the client's certificate, as header actions do."""
    (piece,) = pieces(text)
    if not isinstance(piece, Fetch):
        raise ValueError(f"{text!r} is not understood")  # noqa: TRY004 - of the text's form
    fill = piece.filler()
    return lambda moment: fill(
        moment.request.head,
        moment.request.head.lower(),
        moment.arrival.tls.certificate if moment.arrival.tls is not None else b"",
    )


class UniqueIds:
    """Makes the ids of one controller's requests."""

    def __init__(self, text: str, numbers: Callable[[], int] = _number) -> None:
        """Raise ValueError for a format that can't be used; `numbers` count the requests."""
        self._items = items(text)
        self._numbers = numbers

    def of(self, request: Request, arrival: Arrival, now: float | None = None) -> bytes:
        """Give the request's id: made when it is asked for first, the same ever after."""
        known = unique_id(request)
        if not known:
            moment = Moment(request, arrival, self._numbers(), time.time() if now is None else now)
            known = b"".join([item(moment) for item in self._items])
            request.unique_id = known
        return known


@lru_cache(_KEPT)
def ids_of(text: str) -> UniqueIds:
    """Give what makes ids of this format; empty: of the default one."""
    return UniqueIds(text or FORMAT)


def unique_id(request: Request) -> bytes:
    """Give the id that a request was given; empty where it was given none."""
    return getattr(request, "unique_id", b"")


def fault(text: str) -> str:
    """Say why a format can't be used; empty when it can."""
    try:
        items(text)
    except ValueError as error:
        return str(error)
    return ""


def outgoing(name: str, ids: UniqueIds, most: int) -> Outgoing:
    """Give what puts the id into requests, in place of a client's own field of that name.

    No head is made longer than `most` by it.
    """
    wanted, start = mark(name.encode()), name.encode() + b": "

    def act(request: Request, arrival: Arrival, head: bytes) -> bytes:
        low = head.lower()
        if wanted in low:
            head, _ = without(head, low, wanted)
        line = start + ids.of(request, arrival) + END
        return with_lines(head, line) if len(head) + len(line) <= most else head

    return act
