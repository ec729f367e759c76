"""Pods that people run, behind the real router: nginx with files, an ASGI application in uvicorn.

Asked by curl and by a client on h11, which refuses what is not to the letter of RFC 9112.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edge_site import Site
from h11_client import Client
from ingress_objects import endpoints, route, service
from ingress_rig import PATIENCE
from real_pods import nginx, uvicorn
from tls_rig import Ca
from websockets.sync.client import connect

pytestmark = pytest.mark.live
CHANCE = random.Random(7)
PAGE = b"<p>a page</p>\n" * 300
BLOB = CHANCE.randbytes(3_000_000)
KINDS = ("plain", "edge", "reencrypt")


class Scene:
    def __init__(self, site: Site) -> None:
        self.site = site

    def url(self, kind: str, pod: str, path: str) -> str:
        scheme = "http" if kind == "plain" else "https"
        return f"{scheme}://{pod}-{kind}.apps.example.test{path}"

    def curl(self, kind: str, pod: str, path: str, *arguments: str) -> tuple[str, str]:
        return self.site.curl(self.url(kind, pod, path), *arguments)

    @contextlib.contextmanager
    def client(self, kind: str, pod: str) -> Iterator[Client]:
        host = f"{pod}-{kind}.apps.example.test"
        port = self.site.http if kind == "plain" else self.site.https
        sock: socket.socket = socket.create_connection((self.site.host, port), PATIENCE)
        if kind != "plain":
            context = ssl.create_default_context(cafile=self.site.ca)
            sock = context.wrap_socket(sock, server_hostname=host)
        with sock:
            yield Client(sock, host)


def _routes(pod: str, where: tuple[str, int]) -> list[Any]:
    edge = {"termination": "edge"}
    return [
        route(f"{pod}-plain", f"{pod}-plain.apps.example.test", pod),
        route(f"{pod}-edge", f"{pod}-edge.apps.example.test", pod, tls=edge),
        service(pod),
        *endpoints(pod, where),
    ]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("pods")
    files = folder / "nginx" / "files"
    files.mkdir(parents=True)
    (files / "page.html").write_bytes(PAGE)
    (files / "blob.bin").write_bytes(BLOB)
    ca = Ca()
    pem = folder / "pod.pem"
    pem.write_text(ca.leaf("pod.test"))
    site = Site(folder)
    again = {"termination": "reencrypt", "destinationCACertificate": ca.pem}
    with (
        nginx(folder / "nginx") as plain,
        nginx(folder / "secure", pem) as secure,
        uvicorn(folder / "uvicorn") as asgi,
    ):
        for file in files.iterdir():
            (folder / "secure" / "files" / file.name).write_bytes(file.read_bytes())
        site.objects = [
            *_routes("nginx", plain),
            *_routes("asgi", asgi),
            route("again", "nginx-reencrypt.apps.example.test", "secure", tls=again),
            service("secure"),
            *endpoints("secure", secure),
        ]
        site.put()
        with site.router():
            yield Scene(site)


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_nginx(scene: Scene, kind: str) -> None:
    with scene.client(kind, "nginx") as client:
        page = client.ask("GET", "/page.html")
        assert (page.status, page.body) == (200, PAGE)
        tag = page.fields[b"etag"].decode()
        since = page.fields[b"last-modified"].decode()
        head = client.ask("HEAD", "/page.html")
        assert (head.status, head.body) == (200, b"")
        assert head.fields[b"content-length"] == str(len(PAGE)).encode()
        for condition in ({"If_None_Match": tag}, {"If_Modified_Since": since}):
            unchanged = client.ask("GET", "/page.html", **condition)
            assert (unchanged.status, unchanged.body) == (304, b"")
        assert client.ask("GET", "/nowhere").status == 404
        assert client.ask("GET", "/gone").body == b"gone\n"
        assert client.ask("GET", "/page.html").body == PAGE, "the connection goes on"


@pytest.mark.parametrize("kind", KINDS)
def test_ranges(scene: Scene, kind: str) -> None:
    with scene.client(kind, "nginx") as client:
        part = client.ask("GET", "/blob.bin", Range="bytes=1000000-1999999")
        assert (part.status, part.body) == (206, BLOB[1_000_000:2_000_000])
        assert part.fields[b"content-range"] == b"bytes 1000000-1999999/3000000"
        several = client.ask("GET", "/blob.bin", Range="bytes=0-9,-10")
        assert several.status == 206
        assert several.fields[b"content-type"].startswith(b"multipart/byteranges")
        assert several.body.count(BLOB[:10]) == several.body.count(BLOB[-10:]) == 1
        beyond = client.ask("GET", "/blob.bin", Range="bytes=9000000-")
        assert beyond.status == 416
        whole = client.ask("GET", "/blob.bin")
        assert hashlib.sha256(whole.body).digest() == hashlib.sha256(BLOB).digest()


@pytest.mark.parametrize("kind", KINDS)
def test_curl_goes_on_with_a_download_that_broke_off(
    scene: Scene, kind: str, tmp_path: Path
) -> None:
    got = tmp_path / "got"
    got.write_bytes(BLOB[:1_234_567])
    status, _ = scene.curl(kind, "nginx", "/blob.bin", "-C", "-", "-o", str(got))
    assert status == "206"
    assert hashlib.sha256(got.read_bytes()).digest() == hashlib.sha256(BLOB).digest()


@pytest.mark.parametrize("kind", KINDS)
def test_nginx_ends_its_connections_after_50_requests_and_nobody_notices(
    scene: Scene, kind: str
) -> None:
    with scene.client(kind, "nginx") as client:
        assert {client.ask("GET", "/page.html").body for _ in range(180)} == {PAGE}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_pod_has_packed_comes_packed(scene: Scene, kind: str) -> None:
    with scene.client(kind, "nginx") as client:
        packed = client.ask("GET", "/packed/page.html", Accept_Encoding="gzip")
        assert packed.fields[b"content-encoding"] == b"gzip"
        assert packed.fields[b"transfer-encoding"] == b"chunked"
    status, body = scene.curl(kind, "nginx", "/packed/page.html", "--compressed")
    assert (status, body.encode()) == ("200", PAGE)


@pytest.mark.parametrize("kind", ["plain", "edge"])
def test_uploads_to_an_asgi_application(scene: Scene, kind: str, tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(BLOB)
    for options in (
        ("-T", str(blob)),
        ("-T", str(blob), "-H", "Transfer-Encoding: chunked"),
        ("-T", str(blob), "-H", "Expect: 100-continue", "--expect100-timeout", "15"),
        ("-T", str(blob), "-H", "Expect:"),
    ):
        status, body = scene.curl(kind, "asgi", "/digest", "-X", "POST", *options)
        assert status == "200", body
        told = json.loads(body)
        assert told["length"] == len(BLOB)
        assert told["sha256"] == hashlib.sha256(BLOB).hexdigest()
    with scene.client(kind, "asgi") as client:
        for sizes in ([1, 1, 1], [0, 100, 70_000, 3]):
            pieces = [CHANCE.randbytes(size) for size in sizes]
            told = json.loads(client.ask("POST", "/digest", pieces).body)
            assert told["sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()
    with scene.client(kind, "asgi") as client:
        pieces = [CHANCE.randbytes(10_000) for _ in range(100)]
        assert client.ask("POST", "/mirror", pieces).body == b"".join(pieces)


@pytest.mark.parametrize("kind", ["plain", "edge"])
def test_an_application_that_does_not_want_the_body(
    scene: Scene, kind: str, tmp_path: Path
) -> None:
    """A client that waits for 100 Continue sends none of it; one that does not gets the answer."""
    blob = tmp_path / "blob"
    blob.write_bytes(BLOB)
    with scene.client(kind, "asgi") as client:
        refused = client.ask("PUT", "/refuse", [BLOB], Expect="100-continue")
        assert (refused.status, refused.body, refused.interim) == (413, b"too much\n", [])
    with scene.client(kind, "asgi") as client:
        wanted = client.ask("PUT", "/digest", [BLOB], Expect="100-continue")
        assert [status for status, _ in wanted.interim] == [100]
        assert json.loads(wanted.body)["sha256"] == hashlib.sha256(BLOB).hexdigest()
    for expect in ("Expect: 100-continue", "Expect:"):
        status, _ = scene.curl(kind, "asgi", "/refuse", "-T", str(blob), "-H", expect)
        assert status == "413"


@pytest.mark.parametrize("kind", ["plain", "edge"])
def test_server_sent_events_arrive_one_by_one(scene: Scene, kind: str) -> None:
    """Each is sent when the one before it is here: what is held back holds up the test."""
    with scene.client(kind, "asgi") as posting, scene.client(kind, "asgi") as reading:
        ask = f"GET /stream HTTP/1.1\r\nHost: {reading.host}\r\nAccept: text/event-stream\r\n\r\n"
        reading.sock.sendall(ask.encode())
        got = b""
        for number in range(20):
            assert posting.ask("POST", "/event", [b"number %d" % number]).status == 204
            while not got.endswith(b"data: number %d\n\n\r\n" % number):
                data = reading.sock.recv(65536)
                assert data
                got += data
        assert posting.ask("POST", "/event", [b"end"]).status == 204
        while not got.endswith(b"\r\n0\r\n\r\n"):
            got += reading.sock.recv(65536)


@pytest.mark.parametrize("kind", ["plain", "edge"])
def test_conditions_and_heads_of_an_application(scene: Scene, kind: str) -> None:
    with scene.client(kind, "asgi") as client:
        for _ in range(3):
            assert client.ask("GET", "/tagged").body.startswith(b"<p>version")
            assert client.ask("HEAD", "/tagged").body == b""
            assert client.ask("GET", "/tagged", If_None_Match='"v1"').status == 304


@pytest.mark.parametrize("kind", ["plain", "edge"])
def test_an_application_that_fails_in_its_answer_is_no_clean_end(scene: Scene, kind: str) -> None:
    status, _ = scene.curl(kind, "asgi", "/broken")
    assert status in {"[18]", "[56]"}


@pytest.mark.parametrize("kind", ["plain", "edge"])
def test_websockets_of_an_application(scene: Scene, kind: str) -> None:
    host = f"asgi-{kind}.apps.example.test"
    port = scene.site.http if kind == "plain" else scene.site.https
    secure = kind != "plain"
    options: Any = {"ssl": ssl.create_default_context(cafile=scene.site.ca)} if secure else {}
    sock = socket.create_connection((scene.site.host, port), PATIENCE)
    uri = f"{'wss' if secure else 'ws'}://{host}/"
    with connect(uri, sock=sock, max_size=4 * len(BLOB), **options) as websocket:
        for message in ("text", b"", BLOB[:70_000], BLOB, "é" * 100_000):
            websocket.send(message)
            assert websocket.recv(PATIENCE) == message
    assert websocket.close_code == 1000
