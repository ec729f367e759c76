"""`haproxy.router.openshift.io/rewrite-target`: another path for the pod. Pure.

OpenShift's template replaces what matches `^<path>(.*)$` by the target and the rest, and for the
target `/` what matches `^<path>/?(.*)$`; the query is no part of it. Before that the target loses
its quotes and backslashes, as it once stood in HAProxy's configuration without any quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podway_router.extras import Outgoing

_LONGEST = 2_048
_COMMENT = re.compile(r"((?:[^#\\]|\\(?:.|\Z))*)(#?)", re.DOTALL).match
_UNESCAPED = re.compile(r"\\(.?)|[\"']", re.DOTALL).sub
_PERCENT = re.compile(r"%+").sub
_VISIBLE = re.compile(r"/[!-~]*").fullmatch


def target_of(text: str) -> tuple[str, bool] | str:
    """Give the target as it is used, and whether the rest of the path follows it.

    A `#` ends the target, and then nothing follows. What can't be used gives a sentence that says
    why.
    """
    if not text.startswith("/"):
        return "does not begin with '/'"
    if len(text) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    found = _COMMENT(text)
    written, comment = found.groups() if found else (text, "")
    if "\\\\" in written:
        return "holds two backslashes: a backslash can't be a part of it"
    plain = _UNESCAPED(_literally, _PERCENT(_single, written))
    if not _VISIBLE(plain) or "#" in plain:
        return "holds what no path may hold: write it as %20 or so"
    return plain, not comment


def fault(text: str) -> str:
    """Say why a target can't be used; empty when it can."""
    found = target_of(text)
    return found if isinstance(found, str) else ""


def _literally(match: re.Match[str]) -> str:
    """Give what a quote, or a backslash and what is behind it, stands for."""
    return match[1] or ""


def _single(percents: re.Match[str]) -> str:
    """Take an even number of them as written for HAProxy, which makes one of two."""
    count = len(percents[0])
    return "%" * (count if count % 2 else count // 2)


def rewriter(path: str, text: str) -> Callable[[bytes], bytes] | None:
    """Give what makes a request's path, without its query, the pod's; None for a bad target."""
    found = target_of(text)
    if isinstance(found, str):
        return None
    prefix, (plain, follows) = path.encode(), found
    start, strips = plain.encode(), text == "/"

    def rewrite(asked: bytes) -> bytes:
        if not asked.startswith(prefix or b"/"):
            return asked
        rest = asked[len(prefix) :]
        if strips:
            rest = rest.removeprefix(b"/")
        return start + rest if follows else start

    return rewrite


def on_head(path: str, text: str) -> Callable[[bytes], bytes] | None:
    """Give what is done to heads for a Route with this `spec.path`, empty where it has none."""
    rewrite = rewriter(path, text)
    if rewrite is None:
        return None

    def act(head: bytes) -> bytes:
        start = head.index(b" ") + 1
        end = head.index(b" ", start)
        query = head.find(b"?", start, end)
        if query >= 0:
            end = query
        return head[:start] + rewrite(head[start:end]) + head[end:]

    return act


def outgoing(path: str, text: str) -> Outgoing | None:
    """Give what is done to requests."""
    act = on_head(path, text)
    return None if act is None else lambda request, arrival, head: act(head)
