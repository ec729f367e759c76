"""spec.httpCompression of an IngressController, beside HAProxy configured as OpenShift does.

The same answers of the same pod through both; compared are the heads, and the bodies unpacked.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import edge_site
import http_rig
import pytest
from haproxy_peer import Address, Site, haproxy
from http_rig import PodConnection
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, address, free_port, until

pytestmark = pytest.mark.live
BODY = b"hello world " * 200
TYPES = ["text/html", "application/json"]
DEFAULTS = f"  compression algo gzip\n  compression type {' '.join(TYPES)}"


class Case(NamedTuple):
    """One request, and the answer that its pod gives."""

    answer: bytes
    accept: str | None = "gzip"
    method: str = "GET"
    version: str = "1.1"
    fields: str = ""


def said(
    *fields: str, status: str = "200 OK", body: bytes = BODY, kind: str = "text/html"
) -> bytes:
    types = (f"Content-Type: {kind}",) if kind else ()
    lines = (f"HTTP/1.1 {status}", *types, f"Content-Length: {len(body)}", *fields, "", "")
    return "\r\n".join(lines).encode() + body


CHUNKS = b"%x\r\n%b\r\n5\r\n12345\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(BODY), BODY)
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
)
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + BODY
OLD_POD = said().replace(b"HTTP/1.1", b"HTTP/1.0", 1)
CASES = {
    "plain": Case(said()),
    "charset": Case(said(kind="Text/HTML; charset=utf-8")),
    "longer type": Case(said(kind="text/htmlish")),
    "second type": Case(said(kind="application/json")),
    "other type": Case(said(kind="image/png")),
    "no type": Case(said(kind="")),
    "multipart": Case(said(kind="multipart/mixed; boundary=x")),
    "strong etag": Case(said('ETag: "x"')),
    "weak etag": Case(said('ETag: W/"x"')),
    "bad etag": Case(said("ETag: x")),
    "two etags": Case(said('ETag: "x"', 'ETag: "y"')),
    "201": Case(said(status="201 Created")),
    "203": Case(said(status="203 Other")),
    "206": Case(said(status="206 Part")),
    "404": Case(said(status="404 Not Found")),
    "500": Case(said(status="500 Oh")),
    "204": Case(b"HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\n\r\n"),
    "304": Case(b"HTTP/1.1 304 Not Modified\r\nContent-Type: text/html\r\n\r\n"),
    "vary": Case(said("Vary: Origin")),
    "no-transform": Case(said("Cache-Control: private, no-transform")),
    "encoded": Case(said("Content-Encoding: identity")),
    "empty": Case(said(body=b"")),
    "short": Case(said(body=b"x")),
    "head": Case(said(body=b"").replace(b"Length: 0", b"Length: 7"), method="HEAD"),
    "chunked": Case(CHUNKED),
    "until the end": Case(UNTIL_CLOSE),
    "1.0 client": Case(said(), version="1.0"),
    "1.0 pod": Case(OLD_POD),
    "not asked for": Case(said(), None),
    "weight 0": Case(said(), "gzip;q=0"),
    "weight 0.5": Case(said(), "gzip; q=0.5"),
    "anything": Case(said(), "*"),
    "anything, weight 0": Case(said(), "*;q=0"),
    "deflate": Case(said(), "deflate"),
    "upper case": Case(said(), "GZIP"),
    "identity rather": Case(said(), "identity;q=1, gzip;q=0.1"),
    "in the second field": Case(said(), "deflate\r\nAccept-Encoding: gzip"),
    "gzip not, anything else": Case(said(), "gzip;q=0, *"),
    "an old browser": Case(said(), fields="User-Agent: Mozilla/4.0 (compatible)\r\n"),
}
DEVIATIONS = {
    "gzip not, anything else": "`gzip;q=0, *`",
    "an old browser": "`Mozilla/4`",
}
"""What differs on purpose, and what its row in router/README.md begins with."""
README = Path(__file__).resolve().parents[2] / "router" / "README.md"
HOP = frozenset({"connection", "keep-alive"})


class Got(NamedTuple):
    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes
    """Unpacked."""


def by_case(connection: PodConnection) -> None:
    """Answer as the request's path asks for."""
    while head := connection.head():
        name = head.split(b" ")[1].strip(b"/").replace(b"_", b" ").decode()
        connection.send(CASES[name].answer)
        if CASES[name].answer in (UNTIL_CLOSE, OLD_POD):
            return


def ask(where: Address, name: str) -> Got:
    case = CASES[name]
    accept = f"Accept-Encoding: {case.accept}\r\n" if case.accept is not None else ""
    target = "/" + name.replace(" ", "_")
    head = f"{case.method} {target} HTTP/{case.version}\r\nHost: z.t\r\n{accept}{case.fields}\r\n"
    with socket.create_connection(where, timeout=10) as sock:
        sock.sendall(head.encode())
        response = http.client.HTTPResponse(sock, method=case.method)
        response.begin()
        body = response.read()
    fields = sorted((n.lower(), v) for n, v in response.getheaders() if n.lower() not in HOP)
    packed = ("content-encoding", "gzip") in fields
    return Got(response.status, tuple(fields), gzip.decompress(body) if packed else body)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Address, Address]]:
    folder = tmp_path_factory.mktemp("compression")
    manifests = Manifests(folder / "manifests")
    manifests.directory.mkdir()
    ours, theirs = address(), address()
    port = free_port(ours)
    pod = http_rig.Pod(by_case)
    where = (pod.endpoint.host, pod.endpoint.port)
    manifests.put(
        "site",
        controller("apps", port, free_port(ours), httpCompression={"mimeTypes": TYPES}),
        route("z", "z.t", "z"),
        service("z"),
        *endpoints("z", where),
    )
    usual = ("--name", "apps", "--bind", ours, "--allow-loopback-endpoints")
    with (
        Daemon("podway-router", manifests, *usual, workers=1),
        haproxy([Site("z", "z.t", (where,))], (theirs, port), folder, DEFAULTS),
    ):
        yield (ours, port), (theirs, port)
    pod.close()


@pytest.mark.parametrize("name", CASES)
def test_as_haproxy(name: str, both: tuple[Address, Address]) -> None:
    ours, theirs = (ask(where, name) for where in both)
    if name not in DEVIATIONS:
        assert ours == theirs
    else:
        assert ours != theirs
        assert ours.body == theirs.body


def test_every_deviation_has_its_reason_in_the_readme() -> None:
    table = README.read_text()
    assert [row for row in DEVIATIONS.values() if f"| {row}" not in table] == []


def test_it_is_taken_over_while_the_router_serves_and_works_inside_tls(tmp_path: Path) -> None:
    site = edge_site.Site(tmp_path)
    text = " ".join(map(str, range(200_000))).encode()
    pod = http_rig.Pod(http_rig.answering(said(body=text)))
    where = (pod.endpoint.host, pod.endpoint.port)
    made = [route("z", "z.apps.example.test", "z", tls={"termination": "edge"}), service("z")]
    site.objects = [*made, *endpoints("z", where)]
    site.put()
    headers = tmp_path / "headers"
    ask_for = ("--compressed", "-D", str(headers))
    with site.router():
        status, body = site.curl("https://z.apps.example.test/", *ask_for)
        assert (status, body.encode()) == ("200", text)
        assert "content-encoding" not in headers.read_text().lower()
        site.spec = {"httpCompression": {"mimeTypes": ["text/*"]}}
        site.put()

        def packed() -> bool:
            status, body = site.curl("https://z.apps.example.test/", *ask_for)
            assert status == "200"
            assert hashlib.sha256(body.encode()).digest() == hashlib.sha256(text).digest()
            return "content-encoding: gzip" in headers.read_text().lower()

        until("the new setting is in force", packed)
    pod.close()
