"""What a pod of the lab answers: who it is and what it was asked, as text or as JSON. Pure."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

Headers = tuple[tuple[str, str], ...]

MOST_BYTES = 1 << 30
"""The longest answer that `/bytes/N` gives: enough to measure with, not enough to be a trap."""


class PodSpec(NamedTuple):
    """A Pod, as far as its server needs to know it."""

    name: str
    namespace: str
    node: str
    host: str
    ports: tuple[tuple[int, bool], ...]
    """(port, speaks TLS), one per container port."""
    names: tuple[str, ...] = ()
    """Host names for its certificate: those of the passthrough Routes that lead to it."""


class Request(NamedTuple):
    """One request with its body already read and summed up."""

    method: str
    target: str
    version: str
    headers: Headers
    peer: tuple[str, int]
    local: tuple[str, int]
    tls: str = ""
    """TLS version, empty for plain HTTP."""
    body_bytes: int = 0
    body_sha256: str = ""

    def header(self, name: str) -> str:
        """Give the first header of that (lower-case) name, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Reply(NamedTuple):
    """Status, type and either a body or a number of filler bytes."""

    status: str
    content_type: str
    body: bytes
    filler: int = 0


def reply(pod: PodSpec, request: Request) -> Reply:
    """Answer one request: `/healthz`, `/bytes/N`, or for every other path a description of it."""
    path = urlsplit(request.target).path
    if path == "/healthz":
        return Reply("200 OK", "text/plain; charset=utf-8", b"ok\n")
    if path.startswith("/bytes/"):
        return _bytes(path.removeprefix("/bytes/"))
    facts = describe(pod, request)
    if _wants_json(request):
        body = json.dumps(facts, indent=2).encode() + b"\n"
        return Reply("200 OK", "application/json", body)
    return Reply("200 OK", "text/plain; charset=utf-8", as_text(facts).encode())


def describe(pod: PodSpec, request: Request) -> dict[str, object]:
    """Say who answers and what was seen of the client and its request."""
    facts: dict[str, object] = {
        "pod": pod.name,
        "namespace": pod.namespace,
        "node": pod.node,
        "client": request.header("x-forwarded-for") or request.peer[0],
        "connection": {"from": _pair(request.peer), "to": _pair(request.local)},
        "request": f"{request.method} {request.target} {request.version}",
        "headers": joined(request.headers),
    }
    if request.tls:
        facts["tls"] = request.tls
    if request.body_bytes:
        facts["body"] = {"bytes": request.body_bytes, "sha256": request.body_sha256}
    return facts


def joined(headers: Headers) -> dict[str, str]:
    """Give the headers in their order, repeated ones as one list (RFC 9110 section 5.3)."""
    together: dict[str, str] = {}
    for name, value in headers:
        together[name] = f"{together[name]}, {value}" if name in together else value
    return together


def as_text(facts: dict[str, object]) -> str:
    """Lay the same facts out for people."""
    connection, headers = facts["connection"], facts["headers"]
    assert isinstance(connection, dict)  # noqa: S101 - made so by describe, above
    assert isinstance(headers, dict)  # noqa: S101 - likewise
    lines = [
        f"pod        {facts['pod']} (namespace {facts['namespace']}) on {facts['node']}",
        f"client     {facts['client']}",
        f"connection {connection['from']} -> {connection['to']}",
    ]
    lines += [f"{name:<10} {facts[name]}" for name in ("tls", "body") if name in facts]
    lines += [
        "",
        str(facts["request"]),
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
    ]
    return "\n".join(lines)


def encode(response: Reply, pod: PodSpec, *, keep: bool) -> bytes:
    """Give the response's head, and its body unless it is filler."""
    length = response.filler or len(response.body)
    head = (
        f"HTTP/1.1 {response.status}\r\n"
        f"Content-Type: {response.content_type}\r\n"
        f"Content-Length: {length}\r\n"
        f"X-Pod: {pod.namespace}/{pod.name}\r\n"
        f"X-Node: {pod.node}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    return head.encode("latin-1", "replace") + response.body


def _pair(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


def _bytes(count: str) -> Reply:
    if not (count.isascii() and count.isdigit()) or not 0 <= int(count[:12]) <= MOST_BYTES:
        body = f"/bytes/N: N is a number from 0 to {MOST_BYTES}\n".encode()
        return Reply("400 Bad Request", "text/plain; charset=utf-8", body)
    return Reply("200 OK", "application/octet-stream", b"", filler=int(count))


def _wants_json(request: Request) -> bool:
    asked = parse_qs(urlsplit(request.target).query).get("format", [""])[-1]
    return asked == "json" or "application/json" in request.header("accept")
