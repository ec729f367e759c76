"""SNI passthrough with real clients: any TLS protocol, not only HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingress_objects import Object, controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, address, free_port, until
from tls_servers import Greeter, postgres, redis

pytestmark = pytest.mark.live
PASSTHROUGH = {"termination": "passthrough"}


class Site:
    """A router and the passthrough Routes in front of TLS servers."""

    def __init__(self, directory: Path) -> None:
        self.manifests = Manifests(directory)
        self.host = address()
        self.where = (self.host, free_port(self.host))
        self.http = free_port(self.host)
        self.spec: dict[str, object] = {}
        self._objects: list[object] = []

    def put(self, name: str, host: str, *pods: tuple[str, int], **spec: object) -> None:
        self.add(
            service(name),
            *endpoints(name, *pods),
            route(name, host, name, tls=PASSTHROUGH, **spec),
        )

    def add(self, *objects: Object) -> None:
        self._objects += objects
        apps = controller("apps", self.http, self.where[1], **self.spec)
        self.manifests.put("site", apps, list(self._objects))

    def router(self, *arguments: str) -> Daemon:
        usual = ("--name", "apps", "--bind", self.host, "--allow-loopback-endpoints")
        return Daemon("podway-router", self.manifests, *usual, *arguments)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    directory = tmp_path / "manifests"
    directory.mkdir()
    return Site(directory)


def client() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.contextmanager
def tls(where: tuple[str, int], name: str | None) -> Iterator[ssl.SSLSocket]:
    with (
        socket.create_connection(where, 10) as sock,
        client().wrap_socket(sock, server_hostname=name) as wrapped,
    ):
        yield wrapped


def alert(where: tuple[str, int], name: str | None) -> str:
    with pytest.raises(ssl.SSLError) as error, tls(where, name):
        pass
    return str(error.value)


def refusals(router: Daemon, step: str) -> list[str]:
    return [
        one["reason"]
        for one in router.events()
        if one["event"] == "refused" and one["step"] == step
    ]


def test_each_server_name_reaches_its_own_pod(site: Site, tmp_path: Path) -> None:
    with Greeter(tmp_path, "a.t") as a, Greeter(tmp_path, "b.t") as b:
        site.put("a", "a.t", a.where)
        site.put("b", "b.t", b.where)
        with site.router():
            for name in ("a.t", "b.t", "A.T"):
                with tls(site.where, name) as sock:
                    assert sock.recv(100) == f"this is {name.lower()}\n".encode()
                    payload = os.urandom(300_000)
                    sock.sendall(payload[:100_000])
                    got = b""
                    while len(got) < 100_000:
                        got += sock.recv(65536)
                    assert (
                        hashlib.sha256(got).digest() == hashlib.sha256(payload[:100_000]).digest()
                    )


def test_openssl_s_client(site: Site, tmp_path: Path) -> None:
    with Greeter(tmp_path, "a.t") as a:
        site.put("a", "a.t", a.where)
        with site.router():
            command = ["openssl", "s_client", "-connect", f"{site.where[0]}:{site.where[1]}"]
            ended = subprocess.run(
                [*command, "-servername", "a.t", "-ign_eof"],
                input="bye\n",
                capture_output=True,
                text=True,
                timeout=20,
            )
            assert "subject=CN = a.t" in ended.stdout
            assert "this is a.t" in ended.stdout


def test_redis_by_its_server_name(site: Site, tmp_path: Path) -> None:
    with redis(tmp_path, "redis.t") as where:
        site.put("redis", "redis.t", where)
        with site.router():
            command = ["redis-cli", "-h", site.where[0], "-p", str(site.where[1])]
            command += ["--tls", "--insecure", "--sni", "redis.t"]
            for arguments, answer in (
                (["set", "key", "value"], "OK"),
                (["get", "key"], "value"),
            ):
                ended = subprocess.run(
                    [*command, *arguments], capture_output=True, text=True, timeout=20
                )
                assert ended.stdout.strip() == answer, ended.stderr


def test_postgresql_by_its_server_name(site: Site) -> None:
    with postgres("pg.t") as where:
        site.put("pg", "pg.t", where)
        with site.router():
            target = f"host=pg.t hostaddr={site.where[0]} port={site.where[1]} user=tester"
            ended = subprocess.run(
                ["psql", f"{target} dbname=postgres sslmode=require", "-Atc", QUERY],
                capture_output=True,
                text=True,
                timeout=20,
            )
            assert ended.stdout.strip() == "4950|t", ended.stderr


QUERY = (
    "select (select sum(n) from generate_series(1, 99) n), ssl "
    "from pg_stat_ssl where pid = pg_backend_pid()"
)


def test_what_is_refused_gets_an_alert_and_a_reason(site: Site, tmp_path: Path) -> None:
    with Greeter(tmp_path, "a.t") as a:
        site.put("a", "a.t", a.where)
        site.add(
            route("lost", "lost.t", "nobody", tls=PASSTHROUGH),
            service("dead"),
            *endpoints("dead", (address(), 1)),
            route("dead", "dead.t", "dead", tls=PASSTHROUGH),
        )
        with site.router() as router:
            for name, said, step, reason in (
                ("lost.t", "internal error", "no-service", "shop/nobody does not exist"),
                ("dead.t", "internal error", "connect", "Connection refused"),
            ):
                assert said in alert(site.where, name).replace("_", " ").lower(), name
                found = until(step, lambda step=step: refusals(router, step))
                assert reason in found[0]


def test_an_exact_edge_host_beats_a_wildcard_passthrough(site: Site, tmp_path: Path) -> None:
    with Greeter(tmp_path, "any.w.t") as wild:
        site.put("wild", "any.w.t", wild.where, wildcardPolicy="Subdomain")
        site.spec = {"routeAdmission": {"wildcardPolicy": "WildcardsAllowed"}}
        site.add(route("edge", "edge.w.t", "wild", tls={"termination": "edge"}))
        with site.router():
            with tls(site.where, "other.w.t") as sock:
                assert sock.recv(100) == b"this is any.w.t\n"
            with tls(site.where, "edge.w.t") as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: nobody.t\r\n\r\n")
                assert sock.recv(100).startswith(b"HTTP/1.1 503")


def test_an_allowlist_holds_for_what_is_handed_through(site: Site, tmp_path: Path) -> None:
    name = "haproxy.router.openshift.io/ip_allowlist"
    with Greeter(tmp_path, "in.t") as inside, Greeter(tmp_path, "out.t") as outside:
        site.put("in", "in.t", inside.where, annotations={name: "127.0.0.0/8"})
        site.put("out", "out.t", outside.where, annotations={name: "10.0.0.1"})
        with site.router() as router:
            with tls(site.where, "in.t") as sock:
                assert sock.recv(100) == b"this is in.t\n"
            with pytest.raises((ssl.SSLError, ConnectionError)), tls(site.where, "out.t"):
                pass
            assert "shop/out" in until("it is said", lambda: refusals(router, "allowlist"))[0]


def test_plain_http_on_the_tls_port_is_told_so(site: Site, tmp_path: Path) -> None:
    site.add()
    with site.router(), socket.create_connection(site.where, 10) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a.t\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_hello_in_pieces_still_routes(site: Site, tmp_path: Path) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls_object = client().wrap_bio(incoming, outgoing, server_hostname="a.t")
    with pytest.raises(ssl.SSLWantReadError):
        tls_object.do_handshake()
    hello = outgoing.read()
    with Greeter(tmp_path, "a.t") as a:
        site.put("a", "a.t", a.where)
        with site.router(), socket.create_connection(site.where, 10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in hello:
                sock.send(bytes([byte]))
            assert sock.recv(1) == b"\x16", "a handshake record of the pod's"
