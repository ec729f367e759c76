"""The same Routes and the same raw requests to podway-router and to HAProxy: what differs?

HAProxy is configured as OpenShift's template would (`haproxy_peer`). Compared are the status, the
pod, all that the pod was sent, and what the client is told about cookies and caches. What differs
on purpose stands in DEVIATIONS and, each with its reason, in router/README.md.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from haproxy_peer import Address, Site, cookie_of, haproxy
from ingress_objects import Object, controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, Pod, address, free_port

pytestmark = pytest.mark.live
README = Path(__file__).resolve().parents[2] / "router" / "README.md"
NOT_COMPARED = frozenset({"connection", "keep-alive"})
"""Of one hop only."""


def raw(
    target: str, *fields: str, method: str = "GET", version: str = "1.1", body: str = ""
) -> bytes:
    """Spell a request; the first field is usually Host."""
    return "\r\n".join((f"{method} {target} HTTP/{version}", *fields, "", body)).encode("latin-1")


def of(host: str, target: str = "/", *fields: str) -> bytes:
    """Spell the usual request."""
    return raw(target, f"Host: {host}", *fields)


SENT = (
    "X-Forwarded-For: 9.9.9.9",
    "X-Forwarded-Host: evil.t",
    "X-Forwarded-Port: 1",
    "X-Forwarded-Proto: https",
    "Forwarded: for=9.9.9.9",
)
REQUESTS = {
    "plain": of("blue.t"),
    "query": of("blue.t", "/a?b=c&d=%20"),
    "undecoded": of("blue.t", "/%2e%2e/a//b/./c?x#y".partition("#")[0]),
    "upper-case host": of("BLUE.t"),
    "host with port": of("blue.t:8080", "/p"),
    "host with a dot": of("blue.t."),
    "host with dot and port": of("blue.t.:80"),
    "unknown host": of("nobody.t"),
    "a part of a host": of("lue.t"),
    "no host, 1.0": raw("/", version="1.0"),
    "host, 1.0": raw("/", "Host: blue.t", version="1.0"),
    "no host, 1.1": raw("/"),
    "empty host": raw("/", "Host:"),
    "two hosts": raw("/", "Host: blue.t", "Host: paths.t"),
    "absolute": raw("http://blue.t/abs?x", "Host: blue.t"),
    "absolute, other host": raw("http://paths.t/", "Host: blue.t"),
    "root of paths": of("paths.t"),
    "path": of("paths.t", "/sub"),
    "path, slash": of("paths.t", "/sub/"),
    "below a path": of("paths.t", "/sub/x?y"),
    "beside a path": of("paths.t", "/subpar"),
    "path with query": of("paths.t", "/sub?/deep/"),
    "upper-case path": of("paths.t", "/SUB"),
    "encoded path": of("paths.t", "/%73ub"),
    "slash path": of("paths.t", "/sub/deep/x"),
    "slash path without": of("paths.t", "/sub/deep"),
    "only path": of("only.t", "/only/a"),
    "not the only path": of("only.t", "/"),
    "wildcard": of("any.w.t"),
    "wildcard, exact": of("x.w.t"),
    "wildcard, exact without the path": of("y.w.t", "/else"),
    "wildcard, two labels": of("a.any.w.t"),
    "wildcard, apex": of("w.t"),
    "redirect": of("red.t", "/a/b?c=d"),
    "redirect, post": raw("/a", "Host: red.t", "Content-Length: 2", method="POST", body="ab"),
    "allow": of("allow.t"),
    "edge": of("edge.t"),
    "passthrough": of("pass.t"),
    "weight 0": of("zero.t"),
    "no endpoint": of("empty.t"),
    "refused": of("dead.t"),
    "post": raw("/", "Host: blue.t", "Content-Length: 5", method="POST", body="12345"),
    "options of a path": raw("/x", "Host: blue.t", method="OPTIONS"),
    "unknown method": raw("/x", "Host: blue.t", method="BREW"),
    "append": of("blue.t", "/", *SENT),
    "append, nothing sent": of("blue.t", "/", "Accept: */*", "X-Own: 1", "X-Own: 2"),
    "replace": of("replace.t", "/", *SENT),
    "replace, nothing sent": of("replace.t"),
    "if-none": of("ifnone.t", "/", *SENT[:2]),
    "if-none, nothing sent": of("ifnone.t"),
    "never": of("never.t", "/", *SENT),
    "never, nothing sent": of("never.t"),
    "httpoxy": of("blue.t", "/", "Proxy: http://evil.t"),
    "hop by hop": of("blue.t", "/", "Connection: X-Own, close", "X-Own: 1"),
    # Not Expect: HAProxy 2.6 loses the body of one answer in six behind a pod's 100 (ours does not:
    # 60 of 60, and tests/live/test_http_basics.py); a peer that fails is nothing to compare with.
    "length twice": raw(
        "/", "Host: blue.t", "Content-Length: 1", "Content-Length: 2", method="POST"
    ),
    "length and chunked": raw(
        "/",
        "Host: blue.t",
        "Content-Length: 4",
        "Transfer-Encoding: chunked",
        method="POST",
        body="0\r\n\r\n",
    ),
    "length of nothing": raw("/", "Host: blue.t", "Content-Length:", method="POST"),
    "folded": raw("/", "Host: blue.t", "X-Own: a", " b"),
    "space before a colon": raw("/", "Host: blue.t", "X-Own : a"),
    "control byte": raw("/", "Host: blue.t", "X-Own: a\x01b"),
    "bare line feed": b"GET / HTTP/1.1\nHost: blue.t\n\n",
    "no request": b"hello\r\n\r\n",
    "version": raw("/", "Host: blue.t", version="3.7"),
    "large field": of("blue.t", "/", "X-Own: " + "a" * 40_000),
    "cookie": of("pair.t", "/", "Cookie: @pair@=@green@"),
    "cookie, the other pod": of("pair.t", "/", "Cookie: @pair@=@blue@"),
    "cookie among others": of("pair.t", "/", "Cookie: a=1; @pair@=@green@; b=2"),
    "cookie first": of("pair.t", "/", "Cookie: @pair@=@green@; b=2"),
    "cookie last": of("pair.t", "/", "cookie: b=2;c; @pair@=@green@"),
    "cookies on several lines": of(
        "pair.t", "/", "Cookie: a=1", "Cookie: @pair@=@blue@", "Cookie: c=3"
    ),
    "cookie twice": of("pair.t", "/", "Cookie: @pair@=@green@; a=1; @pair@=@blue@"),
    "cookie, unknown first": of("pair.t", "/", "Cookie: @pair@=zz; @pair@=@green@"),
    "cookie unknown": of("blue.t", "/", "Cookie: a=1; @blue-route@=zz; b=2"),
    "cookie empty": of("blue.t", "/", "Cookie: @blue-route@=; b=2"),
    "cookie of another case": of("blue.t", "/", "Cookie: @BLUE-ROUTE@=@blue@"),
    "cookie quoted": of("blue.t", "/", 'Cookie: @blue-route@="@blue@"'),
    "cookie by a comma": of("blue.t", "/", "Cookie: a=1, @blue-route@=@blue@"),
    "cookie by a semicolon in quotes": of("blue.t", "/", 'Cookie: a="1; @blue-route@=@blue@"'),
    "cookie of a dead pod": of("half.t", "/", "Cookie: @half@=@dead@"),
    "cookie to weight 0": of("zero.t", "/", "Cookie: @zero@=@blue@"),
    "cookie to weight 0, unknown": of("zero.t", "/", "Cookie: @zero@=zz"),
    "cookie, POST": raw("/", "Host: blue.t", "Content-Length: 0", method="POST"),
    "cookie, HEAD": raw("/", "Host: blue.t", method="HEAD"),
    "cookies not asked for": of("plain.t", "/", "Cookie: @plain@=@blue@"),
    "cookie, storable": of("blue.t", "/", "X-Answer: Cache-Control: max-age=60"),
    "cookie, storable by a validator": of("blue.t", "/", "X-Answer: ETag: x"),
    "cookie, storable, known": of("pair.t", "/", "X-Answer: ETag: x", "Cookie: @pair@=@green@"),
    "cookie, private": of(
        "blue.t", "/", "X-Answer: Cache-Control: private", "X-Answer: Expires: 0"
    ),
    "cookie, public": of("blue.t", "/", "X-Answer: Cache-Control: public, max-age=60"),
    "cookie, storable POST": raw(
        "/", "Host: blue.t", "Content-Length: 0", "X-Answer: Expires: 0", method="POST"
    ),
    "the pod's cookie": of("blue.t", "/", "X-Answer: Set-Cookie: a=b"),
    "the pod's cookie of our name": of("blue.t", "/", "X-Answer: Set-Cookie: @blue-route@=x"),
    "tls": bytes.fromhex("160301002e0100002a0303") + bytes(40),
}


class Deviation(NamedTuple):
    """A difference on purpose."""

    reason: str
    """What its row in the README begins with."""
    ours: int
    """The status."""
    theirs: int


HOST_AS_WRITTEN = "the Host as the client wrote it"
QUOTED = "the host quoted in `Forwarded`"
OWN_HOST = "400 without a Host"
ORIGIN_FORM = "the origin form"
HOP_BY_HOP = "fields that `Connection` names"
AMBIGUOUS = "400 for a length beside chunks"
MALFORMED = "400 for malformed fields"
VERSION = "505 for a version"
TOO_LARGE = "431 for a head"
SEMICOLONS = "cookies are told apart by semicolons"
DEVIATIONS = {
    "upper-case host": Deviation(HOST_AS_WRITTEN, 200, 200),
    "host with port": Deviation(QUOTED, 200, 200),
    "host with dot and port": Deviation(QUOTED, 200, 200),
    "no host, 1.1": Deviation(OWN_HOST, 400, 503),
    "empty host": Deviation(OWN_HOST, 400, 503),
    "absolute": Deviation(ORIGIN_FORM, 200, 200),
    "hop by hop": Deviation(HOP_BY_HOP, 200, 200),
    "length and chunked": Deviation(AMBIGUOUS, 400, 200),
    "folded": Deviation(MALFORMED, 400, 200),
    "control byte": Deviation(MALFORMED, 400, 200),
    "bare line feed": Deviation(MALFORMED, 400, 200),
    "version": Deviation(VERSION, 505, 200),
    "large field": Deviation(TOO_LARGE, 431, 400),
    "cookie by a comma": Deviation(SEMICOLONS, 200, 200),
    "cookie by a semicolon in quotes": Deviation(SEMICOLONS, 200, 200),
}
"""Request -> what differs."""


class Result(NamedTuple):
    """What came of one request."""

    status: int
    """0: the connection ended without an answer."""
    pod: str = ""
    seen: tuple[Any, ...] = ()
    """What the pod was sent: method, path, length of the body, sorted header fields."""
    location: str = ""
    told: tuple[tuple[str, str], ...] = ()
    """Fields of the answer about cookies and caches."""


TOLD = frozenset({"set-cookie", "cache-control", "etag", "expires"})


def send(where: Address, request: bytes) -> Result:
    """Send a raw request on a connection of its own."""
    with socket.create_connection(where, timeout=10) as sock:
        sock.sendall(request)
        response = http.client.HTTPResponse(
            sock, method=request.partition(b" ")[0].decode("latin-1")
        )
        try:
            response.begin()
        except (http.client.HTTPException, OSError):
            return Result(0)
        body = response.read()
        return _result(response, body)


def _result(response: http.client.HTTPResponse, body: bytes) -> Result:
    location = response.getheader("location") or ""
    if response.getheader("content-type") != "application/json":
        return Result(response.status, location=location)
    fields = ((name.lower(), value) for name, value in response.getheaders())
    about = tuple(field for field in fields if field[0] in TOLD)
    if not body:
        return Result(response.status, told=about)
    told = json.loads(body)
    sent = sorted((name, value) for name, value in told["headers"] if name not in NOT_COMPARED)
    seen = (told["method"], told["path"], told["length"], *sent)
    return Result(response.status, told["pod"], seen, location, about)


def objects(site: Site) -> list[Object]:
    """Give the cluster's objects of a Route."""
    tls = {"termination": site.termination, "insecureEdgeTerminationPolicy": site.insecure}
    note = {"haproxy.router.openshift.io/set-forwarded-headers": site.forwarded}
    if not site.cookies:
        note["haproxy.router.openshift.io/disable_cookies"] = "true"
    spec: dict[str, Any] = {"path": site.path} if site.path else {}
    if site.termination:
        spec["tls"] = tls
    if site.wildcard:
        spec["wildcardPolicy"] = "Subdomain"
    made = route(site.name, site.host, {site.name: site.weight}, annotations=note, **spec)
    return [made, service(site.name), *endpoints(site.name, *site.pods)]


def sites(blue: Address, green: Address, dead: Address) -> list[Site]:
    """Give the Routes."""
    return [
        Site("blue", "blue.t", (blue,)),
        Site("paths", "paths.t", (blue,)),
        Site("sub", "paths.t", (green,), path="/sub"),
        Site("deep", "paths.t", (blue,), path="/sub/deep/"),
        Site("only", "only.t", (green,), path="/only"),
        Site("wild", "star.w.t", (green,), wildcard=True),
        Site("exact", "x.w.t", (blue,)),
        Site("partly", "y.w.t", (blue,), path="/part"),
        Site("red", "red.t", (blue,), termination="edge", insecure="Redirect"),
        Site("allow", "allow.t", (green,), termination="edge", insecure="Allow"),
        Site("edge", "edge.t", (blue,), termination="edge"),
        Site("pass", "pass.t", (blue,), termination="passthrough"),
        Site("zero", "zero.t", (blue,), weight=0),
        Site("empty", "empty.t"),
        Site("dead", "dead.t", (dead,)),
        Site("replace", "replace.t", (blue,), forwarded="replace"),
        Site("ifnone", "ifnone.t", (blue,), forwarded="if-none"),
        Site("never", "never.t", (blue,), forwarded="never"),
        Site("pair", "pair.t", (blue, green)),
        Site("half", "half.t", (blue, dead)),
        Site("plain", "plain.t", (blue,), cookies=False),
    ]


class Both(NamedTuple):
    """Both routers."""

    ours: Address
    theirs: Address
    words: dict[str, str]
    """What stands for cookies' names and values in REQUESTS."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Run both routers on the same port of two addresses."""
    folder = tmp_path_factory.mktemp("differential")
    manifests = Manifests(folder / "manifests")
    manifests.directory.mkdir()
    ours, theirs = address(), address()
    port = free_port(ours)
    dead = (address(), free_port("127.0.0.1"))
    with Pod("blue") as blue, Pod("green") as green:
        all_sites = sites(blue.where, green.where, dead)
        admission = {"wildcardPolicy": "WildcardsAllowed"}
        apps = controller("apps", port, free_port(ours), routeAdmission=admission)
        manifests.put("site", apps, *map(objects, all_sites))
        usual = ("--name", "apps", "--bind", ours, "--allow-loopback-endpoints")
        router = Daemon("podway-router", manifests, *usual, workers=1)
        with router, haproxy(all_sites, (theirs, port), folder):
            words = {f"@{site.name}@": site.cookie for site in all_sites}
            pods = {"blue": blue.where, "green": green.where, "dead": dead}
            words |= {"@blue-route@": words["@blue@"], "@BLUE-ROUTE@": words["@blue@"].upper()}
            words |= {f"@{name}@": cookie_of(pod) for name, pod in pods.items()}
            yield Both((ours, port), (theirs, port), words)


@pytest.mark.parametrize("name", REQUESTS)
def test_as_haproxy(name: str, both: Both) -> None:
    request = REQUESTS[name]
    for word, meant in both.words.items():
        request = request.replace(word.encode(), meant.encode())
    ours, theirs = send(both.ours, request), send(both.theirs, request)
    both_said = f"ours: {ours}\nHAProxy: {theirs}"
    deviation = DEVIATIONS.get(name)
    if deviation is None:
        assert ours == theirs, both_said
        assert send(both.ours, request) == ours, "by now on the fast lane, if it is a usual one"
    else:
        assert (ours.status, theirs.status) == (deviation.ours, deviation.theirs), both_said
        assert ours != theirs
        assert ours.pod in (theirs.pod, "")


def test_every_deviation_has_its_reason_in_the_readme() -> None:
    text = README.read_text()
    reasons = {deviation.reason for deviation in DEVIATIONS.values()}
    assert [reason for reason in reasons if f"| {reason}" not in text] == []
