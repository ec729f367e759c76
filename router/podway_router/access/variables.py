"""HAProxy's log-format variables: what each says of an event, and how it is written. Pure.

Its configuration manual, section 8.2.6, lists them; how each looks (quoted, in hexadecimal, `-`
where there is nothing) was read off HAProxy 2.6.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection
from functools import cache, partial
from typing import NamedTuple

from podway_router.access import dates
from podway_router.access.escapes import PLAIN, backslashed, escaped, header_escaped
from podway_router.access.facts import Facts

QUOTE, ESCAPE, HEXADECIMAL, DASH = "Q", "E", "X", "M"
FLAGS = (QUOTE, ESCAPE, HEXADECIMAL, DASH)
"""`M`, on unless taken away: nothing is written as `-`."""
JSON = "json"
"""Of a whole format that looks like JSON: backslashes are escaped, too, so that lines stay JSON."""

Flags = Collection[str]
Render = Callable[[Facts], str]


class Variable(NamedTuple):
    """One variable."""

    make: Callable[[Flags], Render]
    """Gives what writes it under these flags."""


def quoted(text: str, flags: Flags) -> str:
    """Write a text that is never `-`."""
    return f'"{text}"' if QUOTE in flags else text


def named(text: str, flags: Flags) -> str:
    """Write a text; where there is none, `-`."""
    if QUOTE in flags:
        return f'"{text}"'
    return text or ("-" if DASH in flags else "")


def safe(text: str, flags: Flags) -> str:
    """Escape a text from outside as the flags say."""
    return backslashed(text) if ESCAPE in flags else _within(escaped(text), flags)


def _within(text: str, flags: Flags) -> str:
    return text.replace("\\", "#5C") if JSON in flags else text


def _plain(get: Render) -> Variable:
    """Write as it is, whatever the flags."""
    return Variable(lambda _: get)


def _number(get: Callable[[Facts], int]) -> Variable:
    return _plain(lambda facts: str(get(facts)))


def _text(get: Render) -> Variable:
    """Write what the client said."""

    def make(flags: Flags) -> Render:
        form = '"%s"' if QUOTE in flags else "%s"

        def render(facts: Facts) -> str:
            text = get(facts)
            return form % (text if PLAIN(text) else safe(text, flags))

        return render

    return Variable(make)


def _name(get: Render) -> Variable:
    """Write what may be missing."""

    def make(flags: Flags) -> Render:
        form, missing = '"%s"' if QUOTE in flags else "%s", named("", flags)

        def render(facts: Facts) -> str:
            text = get(facts)
            return form % (text if PLAIN(text) else safe(text, flags)) if text else missing

        return render

    return Variable(make)


def _ip(get: Render) -> Variable:
    def make(flags: Flags) -> Render:
        if HEXADECIMAL in flags:
            return lambda facts: named(_hexadecimal_ip(get(facts)), flags)
        return lambda facts: named(get(facts), flags)

    return Variable(make)


def _hexadecimal(get: Callable[[Facts], int | None]) -> Variable:
    """Write a number that the flag X makes hexadecimal."""

    def make(flags: Flags) -> Render:
        return partial(_either, get, "04X" if HEXADECIMAL in flags else "d", named("", flags))

    return Variable(make)


def _either(get: Callable[[Facts], int | None], form: str, missing: str, facts: Facts) -> str:
    value = get(facts)
    return missing if value is None else format(value, form)


def _block(get: Callable[[Facts], list[str]]) -> Variable:
    """Write captured fields as `{a|b}`; nothing where none are asked for, or nothing was read."""

    def make(flags: Flags) -> Render:
        def render(facts: Facts) -> str:
            fields = get(facts)
            if not fields or facts.record.request is None:
                return ""
            inner = _within("|".join(map(header_escaped, fields)), flags)
            return quoted("{" + inner + "}", flags)

        return render

    return Variable(make)


def _listed(get: Callable[[Facts], list[str]]) -> Variable:
    """Write captured fields one by one."""

    def make(flags: Flags) -> Render:
        def render(facts: Facts) -> str:
            if facts.record.request is None:
                return ""
            texts = (_within(header_escaped(field), flags) for field in get(facts))
            return " ".join(named(text, flags) for text in texts)

        return render

    return Variable(make)


def _hexadecimal_ip(address: str) -> str:
    if not address:
        return ""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address).hex().upper()


@cache
def hostname() -> str:
    """Give this host's name."""
    return socket.gethostname()


def _path(facts: Facts) -> str:
    return facts.line[1].partition("?")[0]


def path_only(facts: Facts) -> str:
    """Give the path of the request without host and query."""
    path = _path(facts)
    if "://" in path[:16]:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path


def query(facts: Facts) -> str:
    """Give `?query`; empty without one."""
    uri = facts.line[1]
    return uri if facts.record.request is None else uri[len(_path(facts)) :]


def transport(facts: Facts) -> str:
    """Give the frontend's name, with `~` where TLS ends."""
    return facts.names.frontend + ("~" if facts.names.secure else "")


def _request_line(facts: Facts) -> str:
    return facts.line[0] if facts.record.request is None else " ".join(facts.line)


def tls_version(facts: Facts) -> str:
    """Give the version of TLS; empty without."""
    arrival = facts.record.arrival
    return arrival.tls.protocol if arrival is not None and arrival.tls is not None else ""


def tls_cipher(facts: Facts) -> str:
    """Give the cipher; empty without TLS."""
    arrival = facts.record.arrival
    return arrival.tls.cipher if arrival is not None and arrival.tls is not None else ""


def _source(facts: Facts) -> tuple[str, int | None]:
    return facts.watched.source or ("", None)


def _zero(_: Facts) -> int:
    return 0


def _server(facts: Facts) -> tuple[str, int | None]:
    return facts.server or ("", None)


VARIABLES: dict[str, Variable] = {
    "B": _number(lambda facts: facts.watched.sent),
    "CC": _name(lambda facts: facts.request_cookie()),
    "CS": _name(lambda facts: facts.response_cookie()),
    "H": _name(lambda _: hostname()),
    "HM": _text(lambda facts: facts.line[0]),
    "HP": _text(_path),
    "HPO": _text(path_only),
    "HQ": _text(query),
    "HU": _text(lambda facts: facts.line[1]),
    "HV": _text(lambda facts: facts.line[2]),
    "ID": _name(lambda facts: facts.unique_id),
    "ST": _number(lambda facts: facts.status),
    "T": _plain(lambda facts: dates.gmt(int(facts.came))),
    "Ta": _number(lambda facts: facts.active),
    "Tc": _number(lambda facts: facts.connecting),
    "Td": _number(lambda facts: facts.sending),
    "Th": _number(_zero),
    "Ti": _number(lambda facts: facts.idle),
    "Tl": _plain(lambda facts: dates.local_zoned(int(facts.came))),
    "Tq": _number(lambda facts: -1 if facts.reading < 0 else facts.idle + facts.reading),
    "TR": _number(lambda facts: facts.reading),
    "Tr": _number(lambda facts: facts.responding),
    "Ts": _hexadecimal(lambda facts: int(facts.came)),
    "Tt": _number(lambda facts: facts.total),
    "Tu": _number(lambda facts: facts.active),
    "Tw": _number(lambda facts: facts.waiting),
    "U": _number(lambda facts: facts.watched.received),
    "ac": _number(lambda facts: facts.busy.process),
    "b": _name(lambda facts: facts.names.backend),
    "bc": _number(lambda facts: facts.busy.backend),
    "bi": _ip(lambda facts: _source(facts)[0]),
    "bp": _hexadecimal(lambda facts: _source(facts)[1]),
    "bq": _number(_zero),
    "ci": _ip(lambda facts: facts.record.client[0]),
    "cp": _hexadecimal(lambda facts: facts.record.client[1]),
    "f": _name(lambda facts: facts.names.frontend),
    "fc": _number(lambda facts: facts.busy.frontend),
    "fi": _ip(lambda facts: facts.local[0]),
    "fp": _hexadecimal(lambda facts: facts.local[1]),
    "ft": _name(transport),
    "hr": _block(lambda facts: facts.captured_request()),
    "hrl": _listed(lambda facts: facts.captured_request()),
    "hs": _block(lambda facts: facts.captured_response()),
    "hsl": _listed(lambda facts: facts.captured_response()),
    "lc": _number(lambda facts: facts.number),
    "ms": _plain(lambda facts: dates.milliseconds(facts.came)),
    "pid": _hexadecimal(lambda _: os.getpid()),
    "r": _text(_request_line),
    "rc": _number(lambda facts: facts.retries),
    "rt": _hexadecimal(lambda facts: facts.number),
    "s": _name(lambda facts: facts.names.server),
    "sc": _number(lambda facts: facts.busy.server),
    "si": _ip(lambda facts: _server(facts)[0]),
    "sp": _hexadecimal(lambda facts: _server(facts)[1]),
    "sq": _number(_zero),
    "sslc": _name(tls_cipher),
    "sslv": _name(tls_version),
    "t": _plain(lambda facts: dates.local(facts.came)),
    "tr": _plain(lambda facts: dates.local(facts.began)),
    "trg": _plain(lambda facts: dates.gmt(int(facts.began))),
    "trl": _plain(lambda facts: dates.local_zoned(int(facts.began))),
    "ts": _plain(lambda facts: facts.record.state),
    "tsc": _plain(lambda facts: facts.record.state + facts.persistence),
}
"""By name. %Th is 0: the handshake is over before a request is; %sq and %bq are 0."""
