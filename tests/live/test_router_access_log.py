"""The access log of a real router: destinations, captures, changes, lines that nobody can forge."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from edge_site import Site
from ingress_objects import route
from ingress_rig import Daemon, Pod, address, until

pytestmark = pytest.mark.live
REDIRECT = {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
CONTAINER = {"type": "Container", "container": {}}


class Receiver:
    """A syslog server."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address(), 0))
        self.sock.settimeout(10)
        self.where = self.sock.getsockname()

    def destination(self, **more: Any) -> dict[str, Any]:
        syslog = {"address": self.where[0], "port": self.where[1], **more}
        return {"type": "Syslog", "syslog": syslog}

    def line(self) -> bytes:
        return self.sock.recv(65536)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with made.sock:
        yield made


@pytest.fixture
def pod() -> Iterator[Pod]:
    with Pod("pod-1") as one:
        yield one


def logging(destination: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"access": {"destination": destination, **more}}


@pytest.fixture
def site(tmp_path: Path, pod: Pod) -> Site:
    made = Site(tmp_path)
    made.objects = [
        *made.pod("web", pod),
        route("web", "web.t", "web"),
        route("edge", "edge.t", "web", tls={"termination": "edge"}),
        route("nobody", "nobody.t", "absent"),
        route(
            "red",
            "red.t",
            "web",
            tls={"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"},
        ),
    ]
    return made


def ask(site: Site, request: str, host: str = "web.t") -> bytes:
    """Send a raw request on a connection of its own."""
    with socket.create_connection((site.host, site.http), timeout=10) as sock:
        sock.sendall(
            request.replace("HOST", f"Host: {host}\r\nConnection: close").encode("latin-1")
        )
        data = b""
        while more := sock.recv(65536):
            data += more
        return data


def written(router: Daemon, count: int) -> list[str]:
    until("the lines", lambda: _lines(router) >= count)
    return router.output.read_text().splitlines()


def _lines(router: Daemon) -> int:
    return router.output.read_bytes().count(b"\n")


def test_the_usual_line_in_the_container(site: Site, pod: Pod) -> None:
    site.spec["logging"] = logging(CONTAINER)
    site.put()
    with site.router() as router:
        ask(site, "GET /a?b=c HTTP/1.1\r\nHOST\r\n\r\n")
        ask(site, "GET /a HTTP/1.1\r\nHOST\r\n\r\n", "unknown.t")
        ask(site, "GET /a HTTP/1.1\r\nHOST\r\n\r\n", "nobody.t")
        ask(site, "GET /a HTTP/1.1\r\nHOST\r\n\r\n", "red.t")
        ask(site, "nonsense\r\n\r\n")
        assert site.curl("https://edge.t/x", "-k")[0] == "200"
        lines = written(router, 6)
    here = f"{pod.where[0]}:{pod.where[1]}"
    date = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\]"
    client = r"^127\.0\.0\.1:\d+"
    get = r'"GET /a HTTP/1\.1"$'
    alone = r"\d+ - - {} 1/1/0/0/0 0/0 "
    wanted = (
        rf"public be_http:shop:web/ept:web:http:{here} 0/0/0/\d+/\d+ 200 "
        + alone.format("--NI")
        + r'"GET /a\?b=c HTTP/1\.1"$',
        r"public openshift_default/<NOSRV> 0/-1/-1/-1/0 503 " + alone.format("SC--") + get,
        r"public be_http:shop:nobody/<NOSRV> 0/-1/-1/-1/0 503 " + alone.format("SCN-") + get,
        r"public public/<NOSRV> 0/-1/-1/-1/0 302 " + alone.format("LR--") + get,
        r"public public/<NOSRV> -1/-1/-1/-1/\d+ 400 " + alone.format("PR--") + '"<BADREQ>"$',
        rf"fe_sni~ be_edge_http:shop:edge/ept:web:http:{here} 0/0/\d+/\d+/\d+ 200 "
        + alone.format("--NI")
        + r'"GET /x HTTP/1\.1"$',
    )
    for line, pattern in zip(lines, wanted, strict=True):
        assert re.match(f"{client} {date} {pattern}", line), line


def test_ids_of_requests_are_those_that_pods_are_told(site: Site) -> None:
    site.spec["logging"] = logging(CONTAINER, httpLogFormat="%ID|%[unique-id]|%ST")
    site.spec["httpHeaders"] = {"uniqueId": {"name": "X-Id", "format": "%ci-%cp-%rt"}}
    site.put()
    with site.router() as router:
        answer = ask(site, "GET / HTTP/1.1\r\nHOST\r\nX-Id: own\r\n\r\n")
        ask(site, "GET / HTTP/1.1\r\nHOST\r\n\r\n", "unknown.t")
        served, refused = (line.split("|") for line in written(router, 2))
    told = json.loads(answer.partition(b"\r\n\r\n")[2])["headers"]
    assert [value for name, value in told if name == "x-id"] == [served[0]]
    assert served[0] == served[1]
    assert served[2] == "200"
    assert re.fullmatch(r"127\.0\.0\.1-\d+-1", refused[0])
    assert refused[2] == "503"


def test_syslog_as_haproxy_sends_it(site: Site, receiver: Receiver) -> None:
    captured = {"request": [{"name": "Host", "maxLength": 8}, {"name": "X-Own", "maxLength": 30}]}
    cookies = [{"matchType": "Exact", "name": "sess", "maxLength": 9}]
    site.spec["logging"] = logging(
        receiver.destination(facility="local3", maxLength=480),
        httpCaptureHeaders=captured,
        httpCaptureCookies=cookies,
        httpLogFormat="%ci %CC %hr %{+Q}r %[req.hdr(x-own),json(utf8s)]",
    )
    site.put()
    with site.router():
        ask(site, 'GET / HTTP/1.1\r\nHOST\r\nX-Own: a"b{c}\r\nCookie: a=b; sess=12345678\r\n\r\n')
        line = receiver.line()
        host = re.escape(socket.gethostname().encode())
        head = rb"<158>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d " + host + rb" podway-router\[\d+\]: "
        match = re.match(head, line)
        assert match, line
        assert line[match.end() :] == (
            b'127.0.0.1 sess=1234 {web.t|a#22b#7Bc#7D} "GET / HTTP/1.1" a\\"b{c}\n'
        )
        ask(site, f"GET /{'a' * 2000} HTTP/1.1\r\nHOST\r\n\r\n")
        assert len(receiver.line()) == 481


def test_a_syslog_server_that_is_gone_stops_nobody(site: Site, receiver: Receiver) -> None:
    site.spec["logging"] = logging(receiver.destination())
    site.put()
    receiver.sock.close()
    with site.router() as router:
        for _ in range(10):
            assert b" 200 " in ask(site, "GET / HTTP/1.1\r\nHOST\r\n\r\n")
        metric = "podway_router_access_log_dropped_total"
        found = re.search(rf"^{metric} (\d+)", router.get("/metrics")[1], re.MULTILINE)
        assert found
        assert int(found[1]) >= 5


FORGED = (
    "GET /a%0a127.0.0.1:1%20forged HTTP/1.1\r\nHOST\r\nX-Own: x\r\n\r\n",
    'GET /"%20200%20" HTTP/1.1\r\nHOST\r\nX-Own: "},{"status":200\r\n\r\n',
    "GET / HTTP/1.1\r\nHOST\r\nX-Own: a\tb\xff\xfe#0A\r\n\r\n",
    'GET / HTTP/1.1\r\nHOST\r\nCookie: sess="|{}\r\n\r\n',
    "GET /\xe2\x80\xa8 HTTP/1.1\r\nHOST\r\n\r\n",
    "\x16\x03\x01\n\n127.0.0.1:1 forged\n\r\n\r\n",
    "GET / HTTP/1.1\r\nHOST\r\nX-Own: a\r\n b\r\n\r\n",
)


def test_nobody_can_forge_a_line(site: Site) -> None:
    captured = {"request": [{"name": "X-Own", "maxLength": 100}]}
    cookies = [{"matchType": "Prefix", "namePrefix": "s", "maxLength": 100}]
    form = '{"r":"%r","cc":"%CC","own":"%[req.hdr(x-own)]","hr":"%hr","st":%ST}'
    site.spec["logging"] = logging(
        CONTAINER, httpLogFormat=form, httpCaptureHeaders=captured, httpCaptureCookies=cookies
    )
    site.put()
    with site.router() as router:
        for request in FORGED:
            ask(site, request)
        lines = written(router, len(FORGED))
    assert len(lines) == len(FORGED)
    for line in lines:
        assert line.isascii()
        assert line.isprintable()
        told = json.loads(line)
        assert sorted(told) == ["cc", "hr", "own", "r", "st"]


def test_settings_apply_while_serving(site: Site, receiver: Receiver) -> None:
    site.spec["logging"] = logging(CONTAINER, httpLogFormat="first %HP %nonsense")
    site.put()
    with site.router() as router, socket.create_connection((site.host, site.http)) as kept:
        kept.sendall(b"GET /kept HTTP/1.1\r\nHost: web.t\r\n\r\n")
        assert written(router, 1) == ["first /kept -"]
        problems = "\n".join(router.debug("problems"))
        assert "spec.logging.access.httpLogFormat: has %nonsense" in problems
        assert re.search(r"site\.json:\d+: ingresscontroller", problems)
        site.spec["logging"] = logging(receiver.destination(), httpLogFormat="second %B %HP")
        site.put()
        until("the change", lambda: "second" in json.dumps(router.debug("entries")["shard/apps"]))

        told_last: list[bytes] = []

        def keep(line: bytes) -> bytes:
            told_last.append(line)
            return line

        def told() -> bool:
            ask(site, "GET /x HTTP/1.1\r\nHOST\r\n\r\n")
            return _lines(router) == 1 and receiver.line().endswith(b" /x\n")

        until("the syslog server is told", told)
        kept.sendall(b"GET /kept HTTP/1.1\r\nHost: web.t\r\n\r\n")
        until("the kept connection, too", lambda: b" /kept\n" in keep(receiver.line()))
        assert re.search(rb"second \d{3} /kept\n$", told_last[-1])
        site.spec["logging"] = {}
        site.put()
        until("no log", lambda: "access" not in router.debug("entries")["shard/apps"])


@pytest.mark.parametrize("policy", ["Respond", "Ignore"])
def test_empty_requests(site: Site, policy: str) -> None:
    site.spec["httpEmptyRequestsPolicy"] = policy
    site.spec["logging"] = logging(CONTAINER, httpLogFormat="%ST %tsc")
    site.put()
    with site.router() as router:
        with socket.create_connection((site.host, site.http)):
            pass
        with socket.create_connection((site.host, site.http), timeout=20) as sock:
            said = sock.recv(4096)
        ask(site, "GET / HTTP/1.1\r\nHOST\r\n\r\n")
        until("the last line", lambda: "200 --NI" in router.output.read_text())
        lines = router.output.read_text().splitlines()
    if policy == "Respond":
        assert said.startswith(b"HTTP/1.1 408 ")
        assert lines == ["400 CR--", "408 cR--", "200 --NI"]
    else:
        assert said == b""
        assert lines == ["200 --NI"]


def requests(router: Daemon) -> list[dict[str, Any]]:
    return [one for one in router.events() if one["event"] == "request"]


def test_the_daemons_own_log_has_the_same_facts(site: Site) -> None:
    site.put()
    with site.router("--access-log") as router:
        ask(site, "GET /a?b HTTP/1.1\r\nHOST\r\n\r\n")
        said = until(
            "it is logged", lambda: [e for e in router.events() if e["event"] == "request"]
        )
    assert said[0]["target"] == "/a?b"
    assert said[0]["state"] == "--NI"
    assert said[0]["sent"] > said[0]["received"] > 30
    assert said[0]["connect_ms"] >= 0
    assert said[0]["frontend"] == "public"


def test_what_is_handed_through_has_lines_of_its_own(site: Site, pod: Pod) -> None:
    site.spec["logging"] = logging(CONTAINER, httpLogFormat="not for connections")
    passing = {"termination": "passthrough"}
    site.objects += [
        route("pass", "pass.t", "web", tls=passing),
        route("lost", "lost.t", "absent", tls=passing),
    ]
    site.put()
    with site.router() as router:
        site.curl("https://pass.t/", "-k")  # the pod speaks no TLS: it answers in plain text
        site.curl("https://lost.t/", "-k")
        through, refused = written(router, 2)
        site.curl("https://edge.t/", "-k", "--tls-max", "1.1")
        unshaken = written(router, 3)[2]
    assert re.fullmatch(r"127\.0\.0\.1:\d+ \[\S+\] fe_sni/1: SSL handshake failure", unshaken)
    here = f"{pod.where[0]}:{pod.where[1]}"
    head = r"^127\.0\.0\.1:\d+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] public_ssl "
    assert re.match(
        rf"{head}be_tcp:shop:pass/ept:web:http:{here} 0/\d+/\d+ \d+ (--|[CS]D) \d/\d/0/0/0 0/0$",
        through,
    ), through
    assert re.match(rf"{head}public_ssl/<NOSRV> -1/-1/\d+ 0 SC 0/0/0/0/0 0/0$", refused), refused
