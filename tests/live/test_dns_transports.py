"""Every transport with a client that is not ours: kdig, curl, dnspython, raw sockets."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.query
import pytest
from dns_daemon import Daemon, running, wait_until
from dns_peers import ask, free_port, knot, tool
from dns_zones import opt, query

pytestmark = pytest.mark.live

ZONE = """$ORIGIN t.test.
$TTL 300
@ SOA ns hm 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
*.w A 10.0.0.1
*.w A 10.0.0.2
""" + "".join(f"big A 10.1.{n}.1\nbig AAAA 2001:db8::{n}\n" for n in range(100))
NAME = b"\1x\1w\1t\4test\0"
OTHER = "resolved.example."


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Knot with a zone that is not ours, as the resolver to forward to."""
    directory = tmp_path_factory.mktemp("knot")
    path = directory / "db.example"
    path.write_text(
        "$ORIGIN resolved.example.\n$TTL 30\n@ SOA ns hm 1 3600 600 86400 60\n"
        "@ NS ns\nns A 127.0.0.1\n"
        "www A 192.0.2.7\n" + "".join(f'big TXT "{"x" * 200}{n}"\n' for n in range(20))
    )
    with knot(directory, {OTHER: path}) as peer:
        yield peer.port


class Started:
    """The daemon, and the ports of its other transports."""

    def __init__(self, daemon: Daemon, tls: int, http_port: int) -> None:
        self.daemon, self.tls, self.http = daemon, tls, http_port
        self.port = daemon.port


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, resolver: int) -> Iterator[Started]:
    directory = tmp_path_factory.mktemp("dns")
    path = directory / "db.t.test"
    path.write_text(ZONE)
    tls, http_port = free_port(), free_port()
    options = [
        "--zone-file", str(path), "--tls-listen", f"127.0.0.1:{tls}", "--http-listen",
        f"127.0.0.1:{http_port}", "--forward", f"127.0.0.1:{resolver}", "--query-log",
    ]  # fmt: skip
    with running(directory, *options, host="0.0.0.0") as daemon:
        yield Started(daemon, tls, http_port)


def kdig(*args: str) -> str:
    command = [tool("kdig"), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=15, check=True).stdout


def stream(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


def read_message(sock: socket.socket) -> bytes:
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
        more = sock.recv(65_535)
        assert more, "closed in the middle"
        data += more
    return data[2:]


def test_kdig_over_tls(started: Started) -> None:
    found = kdig("@127.0.0.1", "-p", str(started.tls), "+tls", "+short", "a.w.t.test")
    assert sorted(found.split()) == ["10.0.0.1", "10.0.0.2"]


def test_tls_pipelined(started: Started) -> None:
    context = ssl._create_unverified_context()
    with stream(started.tls) as sock, context.wrap_socket(sock) as secure:
        secure.sendall(b"".join(framed(query(NAME, 1, qid=n)) for n in range(50)))
        data = b""
        while data.count(NAME) < 50:
            data += secure.recv(65_535)
    assert data[2:4] == b"\0\0"


def test_a_wildcard_socket_answers_from_the_address_asked(started: Started) -> None:
    for host in ("127.0.0.1", "127.0.7.9"):
        assert ask(started.port, query(NAME, 1), host=host) is not None


def test_truncated_then_tcp(started: Started) -> None:
    reply = ask(started.port, query(b"\3big\1t\4test\0", 1, opt=opt(4096)))
    assert reply is not None
    message = dns.message.from_wire(reply)
    assert message.flags & dns.flags.TC
    assert message.edns == 0
    assert not message.answer
    request = dns.message.make_query("big.t.test", "A")
    whole = dns.query.tcp(request, "127.0.0.1", port=started.port, timeout=5)
    assert len(whole.answer[0]) == 100


def test_a_query_byte_by_byte(started: Started) -> None:
    with stream(started.port) as sock:
        for byte in framed(query(NAME, 1, qid=99)):
            sock.sendall(bytes((byte,)))
        assert read_message(sock)[:2] == b"\0\x63"


def test_length_and_body_come_in_one_segment(started: Started) -> None:
    with stream(started.port) as sock:
        sock.sendall(framed(query(NAME, 1)))
        first = sock.recv(65_535)
        assert len(first) == 2 + int.from_bytes(first[:2], "big")


def test_what_was_asked_before_the_end_is_answered(started: Started) -> None:
    with stream(started.port) as sock:
        sock.sendall(b"".join(framed(query(NAME, 1, qid=n)) for n in range(300)))
        sock.shutdown(socket.SHUT_WR)
        data = b""
        while more := sock.recv(65_535):
            data += more
    assert data.count(NAME) == 300


def test_per_client_cap(started: Started) -> None:
    socks = [stream(started.port) for _ in range(110)]
    refused = 'podway_dns_refused_total{reason="per-client"}'
    try:
        for sock in socks:
            sock.sendall(framed(query(NAME, 1)))
        wait_until(lambda: started.daemon.metric(refused) >= 10, "ten connections refused")
        assert read_message(socks[0])[:2] == b"\0\7"
    finally:
        for sock in socks:
            sock.close()
    wait_until(lambda: started.daemon.metric("podway_dns_connections") == 0, "all closed")


def test_doh_get_and_post(started: Started) -> None:
    message = query(NAME, 1, qid=0)
    link = http.client.HTTPConnection("127.0.0.1", started.http, timeout=5)
    text = base64.urlsafe_b64encode(message).rstrip(b"=").decode()
    link.request("GET", f"/dns-query?dns={text}")
    answer = link.getresponse()
    assert answer.status == 200
    assert answer.getheader("content-type") == "application/dns-message"
    assert answer.getheader("cache-control") == "max-age=300"
    first = answer.read()
    link.request("POST", "/dns-query", message, {"Content-Type": "application/dns-message"})
    answer = link.getresponse()
    assert answer.status == 200
    assert len(answer.read()) == len(first)
    link.request("GET", "/other")
    assert link.getresponse().status == 404


def test_curl_posts(started: Started, tmp_path: Path) -> None:
    body = tmp_path / "query"
    body.write_bytes(query(NAME, 1))
    done = subprocess.run(
        ["curl", "-sS", "--data-binary", f"@{body}", "-H", "content-type: application/dns-message",
         "-H", "Expect: 100-continue", f"http://127.0.0.1:{started.http}/dns-query"],
        capture_output=True, timeout=10, check=True,
    )  # fmt: skip
    assert dns.message.from_wire(done.stdout).answer


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_other_names_are_forwarded(started: Started, transport: str) -> None:
    request = dns.message.make_query("www.resolved.example", "A")
    send = dns.query.udp if transport == "udp" else dns.query.tcp
    for _ in range(2):  # the second from the cache
        reply = send(request, "127.0.0.1", port=started.port, timeout=5)
        assert reply.answer[0][0].to_text() == "192.0.2.7"
        assert reply.flags & dns.flags.RA
        assert not reply.flags & dns.flags.AA
    missing = dns.message.make_query("nope.resolved.example", "A")
    assert send(missing, "127.0.0.1", port=started.port, timeout=5).rcode() == 3


def test_forwarded_over_tcp_where_udp_is_too_small(started: Started) -> None:
    request = dns.message.make_query("big.resolved.example", "TXT")
    small = dns.query.udp(request, "127.0.0.1", port=started.port, timeout=5)
    assert small.flags & dns.flags.TC
    whole = dns.query.tcp(request, "127.0.0.1", port=started.port, timeout=5)
    assert len(whole.answer[0]) == 20


def test_own_names_are_authoritative_for_a_forwarded_client(started: Started) -> None:
    request = dns.message.make_query("a.w.t.test", "A")
    reply = dns.query.udp(request, "127.0.0.1", port=started.port, timeout=5)
    assert reply.flags & dns.flags.AA
    assert reply.flags & dns.flags.RA


def test_query_log_and_metrics(started: Started) -> None:
    assert ask(started.port, query(b"\6logged\1w\1t\4test\0", 1)) is not None
    until = time.monotonic() + 5
    while "logged.w.t.test." not in started.daemon.log.read_text():
        assert time.monotonic() < until
    assert started.daemon.metric('podway_dns_queries_total{transport="udp"}') > 0
    assert started.daemon.metric('podway_dns_queries_total{transport="tls"}') > 0
    assert started.daemon.metric('podway_dns_paths_total{path="fast"}') > 0
    for transport in ("udp", "tls"):
        labels = f'{{path="fast",transport="{transport}"}}'
        assert started.daemon.metric(f"podway_dns_query_seconds_count{labels}") > 0
