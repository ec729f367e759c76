"""What Routes and controllers do to heads, with the real router and curl."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import http_rig
import pytest
from cryptography import x509
from edge_site import Site
from ingress_objects import Object, endpoints, route, service
from ingress_rig import Pod, get, until
from tls_rig import Ca

pytestmark = pytest.mark.live
H = "haproxy.router.openshift.io/"
EDGE = {"termination": "edge"}
ALLOW = {"termination": "edge", "insecureEdgeTerminationPolicy": "Allow"}
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nstrict-transport-security: max-age=1\r\n"
    b"x-own: a\r\nx-own: b\r\nServer: pod\r\n\r\nok"
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def pod() -> Iterator[Pod]:
    with Pod("pod-1") as one:
        yield one


def set_to(name: str, value: str) -> Object:
    return {"name": name, "action": {"type": "Set", "set": {"value": value}}}


def delete(name: str) -> Object:
    return {"name": name, "action": {"type": "Delete"}}


def raw_pod(site: Site, pod: http_rig.Pod, name: str = "raw") -> list[Object]:
    return [service(name), *endpoints(name, pod.endpoint.address)]


def fields(site: Site, url: str, *arguments: str) -> list[tuple[str, str]]:
    """The answer's fields as curl was sent them, name for name."""
    file = site.directory / "head"
    status, _ = site.curl(url, "-k", "-D", str(file), *arguments)
    assert status == "200"
    lines = file.read_text().strip().split("\n")[1:]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def test_hsts_is_told_over_tls_only_in_place_of_the_pods(site: Site) -> None:
    hsts = "max-age=31536000;includeSubDomains;preload"
    notes = {H + "hsts_header": hsts}
    bad = {H + "hsts_header": "max-age=1; unknown"}
    pod = http_rig.Pod(http_rig.answering(ANSWER))
    site.put(
        *raw_pod(site, pod),
        route("a", "a.t", "raw", tls=ALLOW, annotations=notes),
        route("b", "b.t", "raw", tls=EDGE, annotations=bad),
    )
    with site.router() as router:
        name = "strict-transport-security"
        told = [value for one, value in fields(site, "https://a.t/") if one.lower() == name]
        assert told == [hsts]
        for url in ("http://a.t/", "https://b.t/"):
            assert (name, "max-age=1") in fields(site, url)
        warnings = [one for one in router.debug("routes") if one["name"] == "b"]
        assert "another directive voids it all" in json.dumps(warnings)
    pod.close()


def client_tls(ca: Ca, policy: str) -> tuple[dict[str, Any], Object]:
    bundle = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "clients", "namespace": "openshift-config"},
        "data": {"ca-bundle.pem": ca.pem},
    }
    return {"clientCertificatePolicy": policy, "clientCA": {"name": "clients"}}, bundle


def test_pods_learn_of_client_certificates(site: Site, pod: Pod) -> None:
    ca = Ca("clients' CA")
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alice")])
    certificate, key = ca.pair("client.t", subject=subject)
    own = site.directory / "alice.pem"
    own.write_text(certificate + key)
    der = ssl.PEM_cert_to_DER_cert(certificate)
    shown = base64.b64encode(der).decode()
    actions = {
        "request": [set_to("X-Cert", "%{+Q}[ssl_c_der,base64]")],
        "response": [set_to("X-Cert", "<%[ssl_c_der,base64]>")],
    }
    spec = {"httpHeaders": {"actions": actions}}
    tls, bundle = client_tls(ca, "Optional")
    site.spec["clientTLS"] = tls
    web = site.pod("web", pod)
    site.put(bundle, *web, route("a", "a.t", "web", tls=ALLOW, **spec))
    evil = ("-H", "X-SSL-Client-CN: mallory", "-H", "X-Cert: forged", "-H", "X-SSL-Other: 1")

    def told(url: str, *arguments: str) -> dict[str, str]:
        _, body = site.curl(url, "-k", *evil, *arguments)
        pairs = json.loads(body)["headers"]
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    with site.router():
        seen = told("https://a.t/", "--cert", str(own))
        assert seen["x-ssl-client-cn"] == "alice"
        assert seen["x-ssl-client-dn"] == "/CN=alice"
        assert seen["x-ssl-issuer"] == "/CN=clients' CA"
        assert seen["x-ssl-client-sha1"] == hashlib.sha1(der).hexdigest().upper()
        assert seen["x-ssl-client-der"] == seen["x-cert"] == shown
        assert "x-ssl-other" not in seen
        answered = dict(fields(site, "https://a.t/", "--cert", str(own)))
        assert answered["X-Cert"] == f"<{shown}>"
        without = told("https://a.t/")
        assert (without["x-ssl"], without["x-ssl-client-cn"], without["x-cert"]) == ("1", "", "")
        plain = told("http://a.t/")
        assert plain["x-cert"] == ""
        assert not any(name.startswith("x-ssl") for name in plain)


def test_names_are_spelled_for_peers_that_heed_their_case(site: Site) -> None:
    pod = http_rig.Pod(http_rig.answering(ANSWER))
    notes = {H + "h1-adjust-case": "true"}
    site.spec["httpHeaders"] = {"headerNameCaseAdjustments": ["X-OWN", "SeRver", "X-Forwarded-FOR"]}
    site.put(
        *raw_pod(site, pod),
        route("a", "a.t", "raw", annotations=notes),
        route("b", "b.t", "raw"),
    )
    with site.router():
        for host in ("a.t", "b.t"):
            names = [name for name, _ in fields(site, f"http://{host}/", "-H", "x-own: 1")]
            assert names[2:5] == ["X-OWN", "X-OWN", "SeRver"]
        adjusted, usual = pod.seen.split(b"GET ")[1:]
        assert b"\r\nX-OWN: 1\r\n" in adjusted
        assert b"\r\nX-Forwarded-FOR: " in adjusted
        assert b"\r\nx-own: 1\r\n" in usual
        assert b"\r\nX-Forwarded-For: " in usual
    pod.close()


def test_every_request_of_a_connection_has_an_id_of_its_own(site: Site, pod: Pod) -> None:
    site.spec["httpHeaders"] = {
        "uniqueId": {"name": "unique-id"},
        "actions": {"request": [set_to("X-Same", "%[req.hdr(unique-id)]")]},
    }
    site.put(*site.pod("web", pod), route("a", "a.t", "web"))
    with site.router():
        connection = http.client.HTTPConnection(site.host, site.http, timeout=10)
        ids = set()
        for _ in range(3):
            connection.request("GET", "/", headers={"Host": "a.t", "Unique-ID": "own"})
            told = json.loads(connection.getresponse().read())["headers"]
            (one,) = [value for name, value in told if name == "unique-id"]
            assert ["x-same", one] in told
            port = f"{site.http:04X}"
            pattern = (
                rf"[0-9A-F]{{8}}:[0-9A-F]{{4}}_[0-9A-F]{{8}}:{port}_[0-9A-F]{{8}}_000.:[0-9A-F]+"
            )
            assert re.fullmatch(pattern, one)
            ids.add(one)
        connection.close()
    assert len(ids) == 3


def test_actions_follow_their_route_and_what_can_not_be_done_is_said(site: Site, pod: Pod) -> None:
    def put(*actions: Object) -> None:
        spec = {"httpHeaders": {"actions": {"request": list(actions)}}}
        site.put(*site.pod("web", pod), route("a", "a.t", "web", **spec))

    where = (site.host, site.http)

    def seen(name: str) -> list[str]:
        told = get(where, "a.t", **{"X-Client": "1"})[1]["headers"]
        return [value for one, value in told if one == name]

    put(set_to("X-Set", "1"))
    with site.router() as router:
        assert seen("x-set") == ["1"]
        put(set_to("X-Set", "2"), delete("X-Client"), set_to("Connection", "close"))
        until("the new actions", lambda: seen("x-set") == ["2"])
        assert seen("x-client") == []
        (shown,) = router.debug("routes")
        assert "request[2]: 'Connection' is podway's own" in json.dumps(shown)
        put(set_to("Cookie", "x"))  # is no Route: the last good one stays
        until("a problem", lambda: "may not be changed this way" in router.log.read_text())
        assert seen("x-set") == ["2"]


def test_a_change_of_protocols_is_an_answer_and_a_hint_is_none(site: Site) -> None:
    def handle(connection: http_rig.PodConnection) -> None:
        if b"Upgrade" in connection.head():
            connection.send(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n"
                b"X-Gone: 1\r\n\r\nhello"
            )
            connection.more()
        else:
            connection.send(b"HTTP/1.1 103 Early Hints\r\nX-Gone: 1\r\n\r\n" + ANSWER)

    pod = http_rig.Pod(handle)
    actions = {"response": [set_to("X-Set", "1"), delete("X-Gone")]}
    spec = {"httpHeaders": {"actions": actions}}
    site.put(*raw_pod(site, pod), route("a", "a.t", "raw", **spec))

    def ask(*lines: str) -> bytes:
        with socket.create_connection((site.host, site.http), timeout=10) as sock:
            sock.sendall("\r\n".join(("GET / HTTP/1.1", "Host: a.t", *lines, "", "")).encode())
            seen = b""
            while not seen.endswith((b"\r\n\r\nok", b"hello")):
                seen += sock.recv(65_536)
            return seen

    with site.router():
        changed = ask("Connection: upgrade", "Upgrade: echo")
        assert b"\r\nX-Set: 1\r\n" in changed
        assert b"X-Gone" not in changed
        hint, _, final = ask().partition(b"\r\n\r\n")
        assert hint.endswith(b"\r\nX-Gone: 1")
        assert b"\r\nX-Set: 1\r\n" in final
    pod.close()


def test_no_value_of_a_client_becomes_a_line(site: Site, pod: Pod) -> None:
    spec = {"httpHeaders": {"actions": {"request": [set_to("X-Copy", "%[req.hdr(X-In)]")]}}}
    site.put(*site.pod("web", pod), route("a", "a.t", "web", **spec))
    tries = (b"a\rX-Evil: 1", b"a\nX-Evil: 1", b"a\r\n X-Evil: 1", b"a\0b", b"%0d%0aX-Evil: 1")
    with site.router():
        for value in tries:
            with socket.create_connection((site.host, site.http), timeout=10) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: a.t\r\nX-In: " + value + b"\r\n\r\n")
                response = http.client.HTTPResponse(sock)
                response.begin()
                body = response.read()
            if response.status == 200:
                told = json.loads(body)["headers"]
                assert ["x-copy", value.decode()] in told
                assert not any(name == "x-evil" for name, _ in told)
            else:
                assert response.status == 400
        assert pod.requests == 1
