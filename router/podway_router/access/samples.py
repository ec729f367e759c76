"""`%[…]` in a log format: a fetch and its converters (HAProxy's manual, section 7.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from podway_router.access import captures, variables
from podway_router.access.converters import SAFE, Convert, ConverterError, converter
from podway_router.access.escapes import control_escaped
from podway_router.access.facts import Facts
from podway_router.access.variables import Flags, Render, named, safe

Fetch = Callable[[Facts], str | None]
_CALL = re.compile(r"([a-zA-Z0-9_.-]+)(?:\(([^()]*)\))?")


class SampleError(ValueError):
    """The message says what is wrong with an expression."""


class Sample(NamedTuple):
    """A compiled expression."""

    fetch: Fetch
    converters: tuple[Convert, ...] = ()
    escaped: bool = False
    """What the last converter gives needs no more than its control characters escaped."""

    def render(self, flags: Flags) -> Render:
        """Give what writes it under these flags."""

        def write(facts: Facts) -> str:
            text = self.fetch(facts)
            if text is None:
                return named("", flags)
            for convert in self.converters:
                text = convert(text)
            return named(control_escaped(text) if self.escaped else safe(text, flags), flags)

        return write


def sample(expression: str) -> Sample:
    """Compile `req.hdr(host),lower`. Raises SampleError."""
    words = _words(expression)
    fetch = _fetch(*words[0])
    try:
        converters = tuple(converter(name, arguments) for name, arguments in words[1:])
    except ConverterError as error:
        raise SampleError(str(error)) from None
    return Sample(fetch, converters, words[-1][0] in SAFE)


def _words(expression: str) -> list[tuple[str, list[str]]]:
    """Split at the commas outside of parentheses."""
    found = []
    at = 0
    while True:
        match = _CALL.match(expression, at)
        if match is None:
            raise SampleError(f"{expression!r} is not understood from {expression[at : at + 20]!r}")
        arguments = match[2].split(",") if match[2] is not None else []
        found.append((match[1], arguments))
        at = match.end()
        if at == len(expression):
            return found
        if expression[at] != ",":
            raise SampleError(f"{expression!r} is not understood from {expression[at : at + 20]!r}")
        at += 1


def _fetch(name: str, arguments: list[str]) -> Fetch:
    plain = _PLAIN.get(name)
    if plain is not None:
        return plain
    made = _MADE.get(name)
    if made is None:
        raise SampleError(f"sample {name!r} is not known here")
    try:
        return made(arguments)
    except (ValueError, IndexError):
        raise SampleError(f"sample {name}: its argument is missing or not understood") from None


def _header(arguments: list[str], of: Callable[[Facts], bytes], *, whole: bool) -> Fetch:
    """Give the last field of a name: the whole line, or the last of its values."""
    name = arguments[0].strip()
    if not name:
        raise ValueError(arguments)

    def fetch(facts: Facts) -> str | None:
        line = captures.last_line(of(facts), name)
        return line if whole or line is None else line.rpartition(",")[2].strip()

    return fetch


def _captured(arguments: list[str], of: Callable[[Facts], list[str]]) -> Fetch:
    index = int(arguments[0])
    if index < 0:
        raise ValueError(index)

    def fetch(facts: Facts) -> str | None:
        found = of(facts)
        return (found[index] or None) if index < len(found) else None

    return fetch


def _cookie(arguments: list[str], of: Callable[[Facts], bytes], field: str) -> Fetch:
    name = arguments[0].strip()
    return lambda facts: captures.cookie_value(of(facts), field, name)


def _parameter(arguments: list[str]) -> Fetch:
    name = arguments[0]

    def fetch(facts: Facts) -> str | None:
        for pair in variables.query(facts)[1:].split("&"):
            key, sign, value = pair.partition("=")
            if sign and key == name:
                return value
        return None

    return fetch


def _literal(arguments: list[str]) -> Fetch:
    text = ",".join(arguments)
    return lambda _: text


def _integer(arguments: list[str]) -> Fetch:
    text = str(int(arguments[0]))
    return lambda _: text


def _if_read(get: Render) -> Fetch:
    return lambda facts: None if facts.record.request is None else get(facts)


def _request(facts: Facts) -> bytes:
    return facts.head


def _answer(facts: Facts) -> bytes:
    return facts.answer


def _server_name(facts: Facts) -> str | None:
    arrival = facts.record.arrival
    return arrival.tls.server_name if arrival is not None and arrival.tls is not None else None


def _secure(facts: Facts) -> str:
    arrival = facts.record.arrival
    return "1" if arrival is not None and arrival.tls is not None else "0"


def _subject(facts: Facts) -> str | None:
    arrival = facts.record.arrival
    return (arrival.tls.subject or None) if arrival is not None and arrival.tls else None


def _certificate(facts: Facts) -> str | None:
    arrival = facts.record.arrival
    found = arrival.tls.certificate if arrival is not None and arrival.tls else b""
    return found.decode("latin-1") or None


def _certificate_used(facts: Facts) -> str:
    return "1" if _certificate(facts) else "0"


def _host(facts: Facts) -> str:
    return captures.last_line(facts.head, "host") or ""


_PLAIN: dict[str, Fetch] = {
    "base": _if_read(lambda facts: _host(facts) + variables.path_only(facts)),
    "be_name": lambda facts: facts.names.backend,
    "capture.req.method": _if_read(lambda facts: facts.line[0]),
    "capture.req.uri": _if_read(lambda facts: facts.line[1]),
    "capture.req.ver": _if_read(lambda facts: facts.line[2]),
    "dst": lambda facts: facts.local[0] or None,
    "dst_port": lambda facts: str(facts.local[1]),
    "fe_name": lambda facts: facts.names.frontend,
    "hostname": lambda _: variables.hostname(),
    "method": _if_read(lambda facts: facts.line[0]),
    "path": _if_read(variables.path_only),
    "pathq": _if_read(lambda facts: variables.path_only(facts) + variables.query(facts)),
    "query": _if_read(lambda facts: variables.query(facts)[1:]),
    "req.ver": _if_read(lambda facts: facts.line[2].partition("/")[2]),
    "src": lambda facts: facts.record.client[0],
    "src_port": lambda facts: str(facts.record.client[1]),
    "srv_name": lambda facts: facts.names.server,
    "ssl_c_der": _certificate,
    "ssl_c_s_dn": _subject,
    "ssl_c_used": _certificate_used,
    "ssl_fc": _secure,
    "ssl_fc_cipher": lambda facts: variables.tls_cipher(facts) or None,
    "ssl_fc_protocol": lambda facts: variables.tls_version(facts) or None,
    "ssl_fc_sni": _server_name,
    "status": lambda facts: str(facts.status),
    "unique-id": lambda facts: facts.unique_id or None,
    "url": _if_read(lambda facts: facts.line[1]),
}
_MADE: dict[str, Callable[[list[str]], Fetch]] = {
    "capture.req.hdr": lambda given: _captured(given, Facts.captured_request),
    "capture.res.hdr": lambda given: _captured(given, Facts.captured_response),
    "cook": lambda given: _cookie(given, _request, "cookie"),
    "hdr": lambda given: _header(given, _request, whole=False),
    "int": _integer,
    "req.cook": lambda given: _cookie(given, _request, "cookie"),
    "req.fhdr": lambda given: _header(given, _request, whole=True),
    "req.hdr": lambda given: _header(given, _request, whole=False),
    "res.cook": lambda given: _cookie(given, _answer, "set-cookie"),
    "res.fhdr": lambda given: _header(given, _answer, whole=True),
    "res.hdr": lambda given: _header(given, _answer, whole=False),
    "str": _literal,
    "url_param": _parameter,
    "urlp": _parameter,
}
KNOWN = (*sorted(_PLAIN), *sorted(f"{name}(…)" for name in _MADE))
