"""Header actions, rewrite-target and unique ids: podway-router beside HAProxy.

HAProxy has the rules that OpenShift's template makes of the same objects. Compared are the request
line and fields that the pod is sent, and the fields that the client is.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from haproxy_peer import Address, Site, haproxy
from ingress_objects import Object, controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, Pod, address, free_port

pytestmark = pytest.mark.live
README = Path(__file__).resolve().parents[2] / "router" / "README.md"
H = "haproxy.router.openshift.io/"
Actions = list[tuple[str, str | None]]
"""(name, value); None deletes."""
ID = "%{+X}o %fi:%fp|%{-X}fp|%[req.hdr(X-Multi)]|%HM|%HU|a  b"
CONTROLLER: tuple[Actions, Actions] = (
    [("X-Order", "controller"), ("X-From-Controller", "%[req.hdr(X-Multi)]"), ("X-Gone", None)],
    [("X-Order", "controller"), ("X-Seen", "%[res.hdr(X-Order)]|%[res.hdr(X-Route)]")],
)


class Case(NamedTuple):
    """One Route."""

    path: str = ""
    target: str = ""
    request: Actions = []  # noqa: RUF012 - never changed
    response: Actions = []  # noqa: RUF012 - never changed
    pods: bool = True
    insecure: str = ""
    forwarded: str = "append"


VALUES = (
    "plain, with 'quotes' and \"more\" \\ and #",
    "  two  spaces  |",
    "100%% %%[req.hdr(X-Q)]",
    "\u00fc",
    "%[req.hdr(X-Multi)]",
    "%[req.hdr(X-Multi),lower]|%[req.hdr(none)]|%[req.hdr(X-Empty)]|%[req.hdr(X-Tail)]",
    "%[req.hdr(X-Quoted)]|%[req.hdr(X-Open)]|%[req.hdr(X-Odd)]",
    "%{+Q}[req.hdr(X-Q)]|%{+E}[req.hdr(X-Q)]|%{+X}[req.hdr(X-Q)]|%{+Q,-E}[req.hdr(X-Q)]",
    "%[req.hdr(X-Q),base64]|%[req.hdr(X-Q),lower,base64]|%[req.hdr(X-Q),base64,lower]",
    "%[ssl_c_der]|%[ssl_c_der,base64]|%{+Q}[ssl_c_der,lower]",
    "%[req.hdr(Host)]|%[req.hdr(User-Agent)]",
)
TARGETS = ("/", "/new", "/new/", "//n", "/q?x=y", "/a%41", "/a%%41", "/a#b", "/a'b\"c", '/a\\"b')
PATHS = ("/sub", "/sub/", "", "/")
CASES = {
    "values": Case(request=[(f"X-V{n:02}", value) for n, value in enumerate(VALUES)]),
    "order": Case(request=[("X-Order", "%[req.hdr(X-Order)], route"), ("X-From-Controller", None)]),
    "twice": Case(request=[("X-A", "1"), ("X-B", "%[req.hdr(X-A)]2"), ("X-A", None), ("X-Q", "3")]),
    "host": Case(request=[("Host", "other.t")]),
    "told": Case(request=[("X-Forwarded-Host", "mine.t"), ("X-Forwarded-Proto", None)]),
    "replaced": Case(request=[("X-Forwarded-For", "192.0.2.1")], forwarded="replace"),
    "answer": Case(
        response=[
            ("X-Route", "%[res.hdr(Content-Type),lower]|%[res.hdr(none)]|%[ssl_c_der,base64]"),
            ("X-Order", "route"),
            ("Server", None),
        ]
    ),
    "nobody": Case(response=[("X-Route", "1")], pods=False),
    "away": Case(response=[("X-Route", "1")], insecure="Redirect"),
    "late": Case(request=[("X-Forwarded-For", "192.0.2.1")]),
    "regular": Case(path="/a+b", target="/n"),
    "named": Case(),
    **{
        f"p{place}t{number}": Case(path=path, target=target)
        for place, path in enumerate(PATHS)
        for number, target in enumerate(TARGETS)
    },
}
FIELDS = (
    "X-Multi: a, b",
    "X-Multi: c ,  D  ",
    'X-Q: A"b\\c]d',
    "X-Empty:",
    "X-Tail: a,b,",
    'X-Quoted: a,"b,c"',
    'X-Open: a,"b,c',
    'X-Odd: "a\\",b",c',
    "X-Order: client",
    "X-Gone: 1",
    "User-Agent: one (like, two)",
)
REWRITTEN = ("/sub", "/sub/", "/sub/x?y", "/sub//x", "/sub?q=/sub", "/")
ACTIONS_LAST = "header actions act after the forwarded fields"
LITERAL_PATH = "`rewrite-target` takes `spec.path` as it is"
ONE_ID = "one unique id"
DEVIATIONS = {"late": ACTIONS_LAST, "regular": LITERAL_PATH, "named": ONE_ID}


def site_of(name: str, case: Case, pod: Address) -> Site:
    """HAProxy's view of a Route: the rules that the template makes of it."""
    rules = []
    if case.target:
        tail = "/?" if case.target == "/" else ""
        rules.append(
            f"http-request replace-path '^{case.path}{tail}(.*)$' '{sanitized(case.target)}'"
        )
    rules += [rule("request", action) for action in case.request]
    rules += [rule("response", action) for action in case.response]
    termination = "edge" if case.insecure else ""
    insecure = case.insecure or "None"
    return Site(
        name,
        f"{name}.t",
        (pod,) if case.pods else ((pod[0], free_port(pod[0])),),
        path=case.path,
        termination=termination,
        insecure=insecure,
        forwarded=case.forwarded,
        rules=tuple(rules),
    )


def rule(side: str, action: tuple[str, str | None]) -> str:
    name, value = action
    if value is None:
        return f"http-{side} del-header {name}"
    return f"http-{side} set-header {name} '" + value.replace("'", "'\\''") + "'"


def sanitized(target: str) -> str:
    """What OpenShift's router makes of a target without double backslashes."""
    target, comment, _ = target.partition("#")
    target = re.sub(r"\\(.)|[\"']", lambda match: match[1] or "", target)
    target = re.sub("%+", lambda match: match[0] * (1 + len(match[0]) % 2), target)
    return target if comment else target + "\\1"


def objects(site: Site, case: Case) -> list[Object]:
    """The cluster's objects of a Route."""
    notes = {H + "set-forwarded-headers": case.forwarded}
    spec: dict[str, Any] = {"path": case.path} if case.path else {}
    if case.target:
        notes[H + "rewrite-target"] = case.target
    if case.insecure:
        spec["tls"] = {"termination": "edge", "insecureEdgeTerminationPolicy": case.insecure}
    spec["httpHeaders"] = headers(case.request, case.response)
    made = route(site.name, site.host, site.name, annotations=notes, **spec)
    return [made, service(site.name), *endpoints(site.name, *site.pods)]


def headers(request: Actions, response: Actions) -> Object:
    """`httpHeaders` with these actions; the template knows no unique names, so neither do they."""
    return {"actions": {"request": actions(request), "response": actions(response)}}


def actions(asked: Actions) -> list[Object]:
    seen: set[str] = set()
    made = []
    for name, value in asked:
        spelling = name.lower() if name in seen else name  # the API's uniqueness heeds the case
        seen.add(name)
        action = {"type": "Delete"} if value is None else {"type": "Set", "set": {"value": value}}
        made.append({"name": spelling, "action": action})
    return made


class Result(NamedTuple):
    """What came of one request."""

    status: int
    path: str
    sent: tuple[tuple[str, str], ...]
    """To the pod."""
    answered: tuple[tuple[str, str], ...]
    """To the client, but for what is of one hop or moment."""


def ask(where: Address, host: str, target: str, fields: tuple[str, ...]) -> Result:
    with socket.create_connection(where, timeout=10) as sock:
        head = "\r\n".join((f"GET {target} HTTP/1.1", f"Host: {host}", *fields, "", ""))
        sock.sendall(head.encode())
        response = http.client.HTTPResponse(sock)
        response.begin()
        body = response.read()
    kept = [
        (name.lower(), value)
        for name, value in response.getheaders()
        if name.lower().startswith("x-") or name.lower() == "server"
    ]
    told = json.loads(body) if response.status == 200 else {"path": "", "headers": []}
    sent = sorted((name, value.strip()) for name, value in told["headers"] if name != "connection")
    return Result(response.status, told["path"], tuple(sent), tuple(sorted(kept)))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Address, Address]]:
    """Run both routers on the same port of two addresses; gives (ours, HAProxy's)."""
    folder = tmp_path_factory.mktemp("heads")
    manifests = Manifests(folder / "manifests")
    manifests.directory.mkdir()
    ours, theirs = address(), address()
    port = free_port(ours)
    frontend = [
        f'unique-id-format "{ID}"',
        "unique-id-header unique-id",
        *(rule("request", action) for action in CONTROLLER[0]),
        *(rule("response", action) for action in CONTROLLER[1]),
    ]
    with Pod("pod") as pod:
        sites = {name: site_of(name, case, pod.where) for name, case in CASES.items()}
        unique = {"uniqueId": {"name": "unique-id", "format": ID}}
        asked = {**headers(*CONTROLLER), **unique}
        apps = controller("apps", port, free_port(ours), httpHeaders=asked)
        manifests.put("site", apps, *(objects(sites[name], CASES[name]) for name in CASES))
        usual = ("--name", "apps", "--bind", ours, "--allow-loopback-endpoints")
        router = Daemon("podway-router", manifests, *usual, workers=1)
        with router, haproxy(sites.values(), (theirs, port), folder, frontend=frontend):
            yield (ours, port), (theirs, port)


@pytest.mark.parametrize("name", CASES)
def test_as_haproxy(name: str, both: tuple[Address, Address]) -> None:
    ours, theirs = (answers(where, name) for where in both)
    theirs = [as_ours(one, *both) for one in theirs]
    if name in DEVIATIONS:
        assert ours != theirs
        assert [one.status for one in ours] == [one.status for one in theirs] == [200]
    else:
        for one, other in zip(ours, theirs, strict=True):
            assert one == other, f"ours: {one}\nHAProxy: {other}"


def answers(where: Address, name: str) -> list[Result]:
    host, case = f"{name}.t", CASES[name]
    if case.path == "/a+b":
        return [ask(where, host, "/a+b/x", ())]
    if case.target:
        return [ask(where, host, target, ()) for target in REWRITTEN]
    return [ask(where, host, "/x?y", ("Unique-Id: own",) if name == "named" else FIELDS)]


def as_ours(theirs: Result, ours: Address, where: Address) -> Result:
    """HAProxy listens on another address, which the unique id names."""
    spelled = {one: socket.inet_aton(one[0]).hex().upper() for one in (ours, where)}
    sent = [
        (name, value.replace(spelled[where], spelled[ours]) if name == "unique-id" else value)
        for name, value in theirs.sent
    ]
    return theirs._replace(sent=tuple(sorted(sent)))


def test_podways_own_answers_are_not_touched_nor_haproxys(both: tuple[Address, Address]) -> None:
    for name, status in (("nobody", 503), ("away", 302)):
        for where in both:
            result = ask(where, f"{name}.t", "/", ())
            assert (result.status, result.answered) == (status, ())


def test_every_deviation_has_its_reason_in_the_readme() -> None:
    text = README.read_text()
    assert [reason for reason in DEVIATIONS.values() if f"| {reason}" not in text] == []
