"""What changes while a client's requests take the fast lane holds from its next request on."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_rig import OK, Pod, answering, read_answer
from ingress_objects import Object, endpoints, route, service
from ingress_rig import until
from limits_site import RATES, H, Site

pytestmark = pytest.mark.live
PLAIN = H + "disable_cookies"
REQUEST = b"GET /x/y HTTP/1.1\r\nHost: web.t\r\n\r\n"
EDGE = {"tls": {"termination": "edge"}}


@pytest.fixture
def pods() -> Iterator[list[Pod]]:
    made = [Pod(answering(OK.replace(b"ok", name))) for name in (b"p0", b"p1")]
    yield made
    for pod in made:
        pod.close()


@pytest.fixture
def site(tmp_path: Path, pods: list[Pod]) -> Site:
    site = Site(tmp_path)
    for namespace, pod in zip(("shop", "other"), pods, strict=True):
        where = pod.endpoint.address
        site.objects += [
            service("web", namespace=namespace),
            *endpoints("web", where, namespace=namespace),
        ]
    return site


def web(host: str = "web.t", annotations: dict[str, str] | None = None, **spec: object) -> Object:
    """A Route that takes the lane, unless it is given what keeps it off."""
    return route("web", host, "web", annotations={PLAIN: "true", **(annotations or {})}, **spec)


def others(name: str, host: str = "web.t", **spec: object) -> Object:
    """A Route of another tenant's."""
    made = route(name, host, "web", namespace="other", annotations={PLAIN: "true"}, **spec)
    made["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z"
    return made


def asked(sock: socket.socket) -> str:
    """The pod that answered, or the status, or how it ended."""
    sock.sendall(REQUEST)
    try:
        head, body = read_answer(sock)
    except (AssertionError, OSError):
        return "cut"
    return body.decode() if b" 200 " in head.split(b"\r\n")[0] else head[9:12].decode()


CHANGES = {
    "it is deleted": ([], "503"),
    "an allowlist": ([web(annotations={H + "ip_allowlist": "192.0.2.1"})], "cut"),
    "a limit": (
        [web(annotations={RATES: "true", RATES + ".rate-http": "0"})],
        "cut",
    ),
    "no weight": ([web(to={"kind": "Service", "name": "web", "weight": 0})], "503"),
    "another tenant's is older": ([web(), others("web")], "p1"),
    "another path's": (
        [web(), route("sub", "web.t", "gone", path="/x", annotations={PLAIN: "true"})],
        "503",
    ),
    "to an exact host": ([web("any.t", wildcardPolicy="Subdomain"), others("web")], "p1"),
}


@pytest.mark.parametrize("kind", ["plain", "edge"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_holds_from_the_next_request_on(site: Site, kind: str, change: str) -> None:
    spec = EDGE if kind == "edge" else {}
    site.spec = {
        "routeAdmission": {
            "namespaceOwnership": "InterNamespaceAllowed",
            "wildcardPolicy": "WildcardsAllowed",
        }
    }
    wild = change == "to an exact host"
    before = [web("any.t", wildcardPolicy="Subdomain", **spec) if wild else web(**spec)]
    after, expected = CHANGES[change]
    after = [{**each, "spec": {**each["spec"], **spec}} for each in after]
    site.put(*before)
    with site.router() as router:
        router.ready()
        with connected(site, kind) as sock:
            assert [asked(sock) for _ in range(6)] == ["p0"] * 6
            site.put(*after)
            until("it is in force", lambda: asked_anew(site, kind) == expected)
            assert asked(sock) == expected


@pytest.mark.parametrize("policy", ["Redirect", "None"])
def test_an_edge_routes_policy_holds_from_the_next_request_on(site: Site, policy: str) -> None:
    def put(policy: str) -> None:
        site.put(web(tls={"termination": "edge", "insecureEdgeTerminationPolicy": policy}))

    put("Allow")
    with site.router() as router:
        router.ready()
        with connected(site, "plain") as sock:
            assert [asked(sock) for _ in range(6)] == ["p0"] * 6
            put(policy)
            expected = "302" if policy == "Redirect" else "503"
            until("it is in force", lambda: asked_anew(site, "plain") == expected)
            assert asked(sock) == expected


def test_a_connection_of_another_server_name_does_not_take_the_lane(site: Site) -> None:
    """The lane of a host is known from its own connections; whoever strays is still told so."""
    from tls_rig import Ca

    pair = Ca().leaf("two.t")
    tls = {"termination": "edge", "certificate": pair, "key": pair}
    site.put(web(**EDGE), others("two", "two.t", tls=tls))
    with site.router() as router:
        router.ready()
        with connected(site, "edge") as sock:
            assert [asked(sock) for _ in range(6)] == ["p0"] * 6
        with connected(site, "edge", "two.t") as sock:
            assert [asked(sock) for _ in range(3)] == ["421"] * 3


def connected(site: Site, kind: str, name: str = "web.t") -> socket.socket:
    sock = socket.create_connection((site.host, site.https if kind == "edge" else site.http), 20)
    if kind == "plain":
        return sock
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock, server_hostname=name)


def asked_anew(site: Site, kind: str) -> str:
    with connected(site, kind) as sock:
        return asked(sock)
