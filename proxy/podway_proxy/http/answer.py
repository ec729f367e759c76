"""Answers of our own: what a client reads where no pod answers.

Each says which step failed: to a person in HTML, to a program in JSON, else in plain text. Never
cached (reference/route-api.md section 3).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus

from podway_proxy.http.refuse import Refusal

NO_STORE = b"private, max-age=0, no-cache, no-store"
"""The cache-control of the OpenShift router's own pages."""

_ACCEPT = re.compile(rb"(?i)\naccept:([^\r\n]*)").search

_STEPS = {
    "no-route": "No Route of this router has this host and path.",
    "no-service": "The Route names a Service that is not there.",
    "no-endpoint": "The Service has no endpoint that is ready.",
    "connect": "None of the Service's endpoints could be connected to.",
    "queue": "The Service's pods have as much to do as they may, and none had room in time.",
    "bad-request": "The request can't be served as it was sent.",
    "head-timeout": "The request did not arrive whole in time.",
    "body-timeout": "The request's body did not arrive in time.",
    "server-timeout": "The pod did not answer in time.",
    "reset": "The pod ended the connection before it answered.",
    "bad-answer": "The pod's answer is not proper HTTP.",
}
"""What each step's failure means, for someone who meets the page for the first time."""


CUT = 0
"""In place of a status."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that podway gives itself."""

    status: int
    """An HTTP status, or CUT: the connection ends with RST and without a word."""
    step: str
    """The step that failed, a short fixed word: `no-route`, `connect`, `server-timeout`, …"""
    reason: str
    """A sentence that names what was looked for and not found."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further fields (`Location`)."""
    body: bytes | None = None
    """In place of the page, with its type in `headers`; None: the page."""
    detail: str = ""
    """What the operator reads besides, on no page: addresses of pods, the system's error."""
    label: str = ""
    """The route that would have served, for the log."""


def refused(refusal: Refusal) -> Answer:
    """Give the answer to a head that is refused."""
    return Answer(refusal.status, "bad-request", refusal.reason)


def phrase(status: int) -> str:
    """Give the reason phrase of a status; empty for one that HTTP does not name."""
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""


def render(answer: Answer, head: bytes, server: str, close: bool, explain: bool) -> bytes:
    """Make the whole answer: head and page.

    `head` is the request's (its Accept chooses the page's form; HEAD gets no page). `explain` adds
    X-Podway-Reason. `close` announces that the connection ends with it.
    """
    kind, page = _page(answer, head, server)
    lines = [
        f"HTTP/1.1 {answer.status} {phrase(answer.status)}",
        *(f"{name}: {value}" for name, value in answer.headers),
        *([f"Content-Type: {kind}"] if kind else []),
        f"Content-Length: {len(page)}",
        "Cache-Control: " + NO_STORE.decode(),
        *([f"X-Podway-Reason: {one_line(answer)}"] if explain else []),
        *(["Connection: close"] if close else []),
    ]
    body = b"" if head.startswith(b"HEAD ") else page
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


def one_line(answer: Answer) -> str:
    """Give what X-Podway-Reason says."""
    text = f"{answer.step}: {answer.reason}"
    return "".join(character if " " <= character <= "~" else "?" for character in text)


def _page(answer: Answer, head: bytes, server: str) -> tuple[str, bytes]:
    """Give (content type, bytes) of the page in the form that the client prefers."""
    if answer.body is not None:
        return "", answer.body
    accept = _ACCEPT(head)
    wanted = accept[1].lower() if accept else b""
    if b"text/html" in wanted:
        return "text/html; charset=utf-8", _html(answer, server).encode()
    if b"json" in wanted:
        return "application/json", _json(answer, server).encode()
    return "text/plain; charset=utf-8", _text(answer, server).encode()


def _text(answer: Answer, server: str) -> str:
    meaning = _STEPS.get(answer.step, "")
    lines = (
        f"{answer.status} {phrase(answer.status)}",
        f"{answer.step}: {answer.reason}",
        meaning,
        f"({server})",
    )
    return "\n".join(line for line in lines if line) + "\n"


def _json(answer: Answer, server: str) -> str:
    fields = {
        "status": answer.status,
        "step": answer.step,
        "reason": answer.reason,
        "server": server,
    }
    return json.dumps(fields) + "\n"


def _html(answer: Answer, server: str) -> str:
    import html  # 5 ms of every worker's start for its table of entities

    title = f"{answer.status} {phrase(answer.status)}"
    meaning = _STEPS.get(answer.step, "")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:4rem auto;max-width:40rem;"
        "padding:0 1rem}code{background:#8882;padding:.1em .3em}</style></head><body>"
        f"<h1>{title}</h1><p>{html.escape(meaning)}</p>"
        f"<p><code>{html.escape(answer.step)}</code> {html.escape(answer.reason)}</p>"
        f"<hr><p>{html.escape(server)}</p></body></html>\n"
    )
