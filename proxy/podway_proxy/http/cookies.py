"""One cookie among others in the heads of requests and answers: read, taken out, set. Pure.

Cookies are told apart as RFC 6265 section 5.4 has user agents write them: semicolons separate
pairs, whatever a value holds besides. A cookie is named here by how it begins, `name=`, which a
head can be searched for: heads without it cost that search and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_COOKIE = b"cookie:"
_SET_COOKIE = b"set-cookie:"
_BLANK = b" \t"
_LINE = b"\nCookie: "
_LEAD = len(_LINE)
_IDLE = frozenset(b"; \t\r")
_SPACE = ord(" ")
_CACHEABLE_BY_DEFAULT = frozenset((200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501))
"""RFC 9110 section 15.1, in the part that HAProxy's `nocache` goes by."""
_SAFE = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE"))
_DECIDES = re.compile(
    rb"\n(cache-control|pragma|expires|etag|last-modified):[\t ]*+([^\r]*?)[\t ]*+\r"
).findall
_LASTING = (b"expires", b"etag", b"last-modified")
_NEVER = re.compile(rb"(?:private|no-cache|no-store)(?:=.*)?|s-maxage=0").fullmatch
_SET_COOKIE_APART = b'no-cache="set-cookie"'


def sent(head: bytes, begins: bytes) -> list[bytes]:
    """Give the values that a request's head has for the cookie that begins so, in their order."""
    found = []
    for start, end in _lines(head, begins, _COOKIE):
        for pair in head[start + len(_COOKIE) : end].split(b";"):
            stripped = pair.strip(_BLANK)
            if stripped.startswith(begins):
                found.append(stripped[len(begins) :])
    return found


def spelt(head: bytes, begins: bytes) -> bytes:
    """Give the first of `sent` if it is spelt as browsers do, else nothing.

    That is `Cookie: a=1; b=2`. It costs a third.
    """
    at = head.find(begins)
    line = head.rfind(b"\n", 0, at)
    if at < 0 or head[line : line + _LEAD] != _LINE:
        return b""
    if at != line + _LEAD and head[at - 2 : at] != b"; ":
        return b""
    end = head.find(b"\r", at)
    semicolon = head.find(b";", at, end)
    return head[at + len(begins) : end if semicolon < 0 else semicolon]


def without(head: bytes, begins: bytes) -> bytes:
    """Take the cookie out of a request's head; others stay as they are, an empty line goes."""
    at = head.find(begins)
    if at < 0:
        return head
    span = _usual(head, begins, at)
    if span is not None:
        return head[: span[0]] + head[span[1] :]
    kept = []
    done = 0
    for start, end in _lines(head, begins, _COOKIE):
        value = start + len(_COOKIE)
        pairs = head[value:end].split(b";")
        others = [pair for pair in pairs if not pair.lstrip(_BLANK).startswith(begins)]
        if len(others) == len(pairs):
            continue
        if any(pair.strip(_BLANK) for pair in others):
            kept.append(head[done:value] + b";".join(others))
            done = end
        else:
            kept.append(head[done:start])
            done = end + 2
    kept.append(head[done:])
    return b"".join(kept)


def _usual(head: bytes, begins: bytes, at: int) -> tuple[int, int] | None:
    """Give what goes with the cookie at this place, from where to where.

    None: it may not be the only one, or is not spelt as browsers do.
    """
    if head.find(begins, at + 1) >= 0:
        return None
    end = head.find(b"\r", at)
    semicolon = head.find(b";", at, end)
    if head[at - _LEAD : at] == _LINE:
        if semicolon < 0:
            return at - _LEAD + 1, end + 2
        more = head[semicolon + 1] == _SPACE and head[semicolon + 2] not in _IDLE
        return (at, semicolon + 2) if more else None
    line = head.rfind(b"\n", 0, at)
    more = head[at - 2 : at] == b"; " and head[at - 3] not in _IDLE
    if more and head[line : line + _LEAD] == _LINE:
        return at - 2, end if semicolon < 0 else semicolon
    return None


def without_set(head: bytes, begins: bytes) -> bytes:
    """Take out of an answer's head the lines that set the cookie that begins so."""
    kept = []
    done = 0
    for start, end in _lines(head, begins, _SET_COOKIE):
        if head[start + len(_SET_COOKIE) : end].lstrip(_BLANK).startswith(begins):
            kept.append(head[done:start])
            done = end + 2
    kept.append(head[done:])
    return b"".join(kept)


def set_line(begins: bytes, value: bytes, attributes: bytes) -> bytes:
    """Give the field line that sets a cookie; `attributes`: `; path=/` and so on."""
    return b"Set-Cookie: " + begins + value + attributes + b"\r\n"


def storable(method: bytes, status: int, head: bytes) -> bool:
    """Tell whether a shared cache could keep this answer, as HAProxy's `cookie … nocache` does.

    The method and status or `public` allow it, nothing forbids it, and there is a lifetime or a
    validator.
    """
    lowered = head.lower()
    if b"\ncache-control:" not in lowered and b"\npragma:" not in lowered:
        if method not in _SAFE or status not in _CACHEABLE_BY_DEFAULT:
            return False
        return b"\netag:" in lowered or b"\nlast-modified:" in lowered or b"\nexpires:" in lowered
    fields = _DECIDES(lowered)
    if (b"pragma", b"no-cache") in fields:
        return False
    values = [value for name, value in fields if name == b"cache-control"]
    directives = [word.strip(_BLANK) for value in values for word in value.split(b",")]
    allowed = method in _SAFE and status in _CACHEABLE_BY_DEFAULT
    for directive in directives:
        if directive == b"public":
            allowed = True
        elif directive != _SET_COOKIE_APART and _NEVER(directive):
            allowed = False
    shared = any(directive.startswith(b"s-maxage") for directive in directives)
    if b"max-age=0" in directives and not shared:
        return False
    lasts = shared or any(directive.startswith(b"max-age") for directive in directives)
    return allowed and (lasts or any(name in _LASTING for name, _ in fields))


def _lines(head: bytes, begins: bytes, field: bytes) -> Iterator[tuple[int, int]]:
    """Give where each line of a field starts and ends in which those bytes are found."""
    at = head.find(begins)
    while at >= 0:
        start = head.rfind(b"\n", 0, at) + 1
        end = head.find(b"\r\n", at)
        if head[start : start + len(field)].lower() == field:
            yield start, end
        at = head.find(begins, end)
