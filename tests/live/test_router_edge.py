"""Edge and reencrypt with real clients: curl and openssl."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from edge_site import SecurePod, Site
from ingress_objects import Object, route
from ingress_rig import BIN, PATIENCE, Pod, until
from tls_rig import Ca

pytestmark = pytest.mark.live
EDGE = {"termination": "edge"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def pod() -> Iterator[Pod]:
    with Pod("pod-1") as one:
        yield one


def headers(body: str) -> dict[str, str]:
    return dict(json.loads(body)["headers"])


def test_an_edge_route_with_the_default_certificate(site: Site, pod: Pod) -> None:
    site.put(
        *site.pod("web", pod),
        route("web", "web.apps.example.test", "web", tls=EDGE),
        route("open", "open.apps.example.test", "web", tls={**EDGE, **ALLOW}),
        route("away", "away.apps.example.test", "web", tls={**EDGE, **REDIRECT}),
    )
    with site.router("--external-https-port", "8443"):
        strip = ("-H", "X-SSL-Client-CN: me", "-H", "X-Forwarded-Proto: http")
        status, body = site.curl("https://web.apps.example.test/x?y", *strip)
        assert status == "200"
        told = json.loads(body)["headers"]
        assert [value for name, value in told if name == "x-forwarded-proto"][-1] == "https"
        assert ["x-forwarded-port", str(site.https)] in told
        assert not any(name.startswith("x-ssl") for name, _ in told)
        assert site.curl("http://web.apps.example.test/")[0] == "503"
        assert site.curl("http://open.apps.example.test/")[0] == "200"
        assert headers(site.curl("https://open.apps.example.test/")[1])["x-forwarded-proto"] == (
            "https"
        )
        status, _ = site.curl("http://away.apps.example.test/a?b", "-D", str(site.directory / "h"))
        assert status == "302"
        assert (
            "ocation: https://away.apps.example.test:8443/a?b" in (site.directory / "h").read_text()
        )
        assert (site.directory / "state" / "ca-key.pem").stat().st_mode & 0o777 == 0o600


ALLOW = {"insecureEdgeTerminationPolicy": "Allow"}
REDIRECT = {"insecureEdgeTerminationPolicy": "Redirect"}


def test_print_ca(site: Site) -> None:
    command = [str(BIN / "podway-router"), "--print-ca"]
    command += ["--state-dir", str(site.directory / "state")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    assert ended.stdout == site.ca.read_text()


def test_certificates_inline_embedded_and_external(site: Site, pod: Pod) -> None:
    ca = Ca()
    certificate, key = ca.pair("a.t")
    other, other_key = ca.pair("c.t")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "cert", "namespace": "shop"},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": other, "tls.key": other_key},
    }
    site.put(
        *site.pod("web", pod),
        route("a", "a.t", "web", tls={**EDGE, "certificate": certificate, "key": key}),
        route("b", "b.t", "web", tls={**EDGE, "certificate": ca.leaf("b.t")}),
        route("c", "c.t", "web", tls={**EDGE, "externalCertificate": {"name": "cert"}}),
        secret,
    )
    trust = ca.file(site.directory)
    with site.router() as router:
        for host in ("a.t", "b.t", "c.t"):
            assert site.curl(f"https://{host}/", ca=trust)[0] == "200"
        pages = json.dumps(router.debug("routes")) + router.log.read_text()
        assert "PRIVATE" not in pages
        assert key.split("\n")[1] not in pages


def test_hosts_and_server_names_belong_together(site: Site, pod: Pod) -> None:
    ca = Ca()
    site.put(
        *site.pod("web", pod),
        route("a", "a.t", "web", tls={**EDGE, "certificate": ca.leaf("a.t", "*.both.t")}),
        route("b", "b.t", "web", tls=EDGE),
        route("c", "c.both.t", "web", tls=EDGE),
        route("plain", "plain.t", "web"),
    )
    trust = ca.file(site.directory)
    with site.router():
        for host, status in (("a.t", "200"), ("b.t", "421"), ("c.both.t", "200"), ("n.t", "503")):
            assert site.curl("https://a.t/", "-H", f"Host: {host}", ca=trust)[0] == status, host
        assert site.curl("https://nobody.t/", "-k")[0] == "503"
        assert site.curl("https://plain.t/", "-k")[0] == "503"
        assert site.curl("https://nobody.t/", "-k", "-H", "Host: b.t")[0] == "200"
        assert "router" not in site.openssl("-servername", "nobody.t")


def test_reencrypt(site: Site) -> None:
    ca, wrong = Ca(), Ca("wrong")
    to = {"termination": "reencrypt"}
    with SecurePod("pod-1", ca.server("web.shop.svc")) as pod:
        bundle = {"service-ca.crt": ca.pem}
        site.objects = [
            *site.pod("web", pod),
            *site.pod("misnamed", pod),
            route("a", "a.t", "web", tls={**to, "destinationCACertificate": ca.pem}),
            route("b", "b.t", "web", tls={**to, "destinationCACertificate": wrong.pem}),
            route("c", "c.t", "web", tls={**to, "insecureEdgeTerminationPolicy": "Allow"}),
            route("d", "d.t", "misnamed", tls=to),
        ]
        site.put(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "service-ca-bundle", "namespace": "openshift-ingress"},
                "data": bundle,
            }
        )
        with site.router() as router:
            assert site.curl("https://a.t/", "-k")[0] == "200"
            assert pod.names == ["a.t"]
            assert site.curl("https://b.t/", "-k")[0] == "503"
            assert site.curl("https://c.t/", "-k")[0] == "200"
            assert site.curl("http://c.t/")[0] == "200"
            assert site.curl("https://d.t/", "-k")[0] == "503"
            text = router.log.read_text()
            assert "is not accepted" in text
            assert "not for misnamed.shop.svc" in text
            site.put()  # the local CA is the default one: it has not signed the pod's
            until("untrusted", lambda: site.curl("https://c.t/", "-k")[0] == "503")
            assert site.curl("https://a.t/", "-k")[0] == "200"


def test_a_new_certificate_cuts_no_connection(site: Site, pod: Pod) -> None:
    ca = Ca()
    site.objects = site.pod("web", pod)

    def put(certificate: str) -> None:
        site.put(route("a", "a.t", "web", tls={**EDGE, "certificate": certificate}))

    def serial() -> int:
        with socket.create_connection((site.host, site.https), PATIENCE) as sock:
            context = ca.client()
            with context.wrap_socket(sock, server_hostname="a.t") as wrapped:
                shown = x509.load_der_x509_certificate(wrapped.getpeercert(True) or b"")
                return shown.serial_number

    put(ca.leaf("a.t"))
    with (
        site.router() as router,
        socket.create_connection((site.host, site.https)) as sock,
        ca.client().wrap_socket(sock, server_hostname="a.t") as kept,
    ):
        before = serial()
        put(ca.leaf("a.t"))
        until("the new certificate", lambda: serial() != before)
        kept.sendall(b"GET / HTTP/1.1\r\nHost: a.t\r\n\r\n")
        assert kept.recv(12) == b"HTTP/1.1 200"
        put("garbage")
        until("not admitted", lambda: not router.debug("routes")[0]["admitted"])
        assert router.debug("routes")[0]["reason"] == "ExtendedValidationFailed"


def test_large_bodies_by_hash(site: Site, pod: Pod) -> None:
    body = os.urandom(5_000_000)
    (site.directory / "body").write_bytes(body)
    site.put(*site.pod("web", pod), route("a", "a.t", "web", tls=EDGE))
    with site.router():
        upload = ("-k", "--data-binary", f"@{site.directory}/body", "-X", "POST")
        told = json.loads(site.curl("https://a.t/", *upload)[1])
        assert told["length"] == len(body)
        assert told["sha256"] == hashlib.sha256(body).hexdigest()


PROFILES = [
    ({}, "-tls1_2", True),
    ({}, "-tls1_3", True),
    ({}, "-tls1_1", False),
    ({"type": "Modern", "modern": {}}, "-tls1_2", False),
    ({"type": "Modern", "modern": {}}, "-tls1_3", True),
    ({"type": "Old", "old": {}}, "-tls1_1", True),
]


@pytest.mark.parametrize(("profile", "version", "works"), PROFILES)
def test_profiles(site: Site, pod: Pod, profile: dict[str, Any], version: str, works: bool) -> None:
    site.spec = {"tlsSecurityProfile": profile} if profile else {}
    site.put(*site.pod("web", pod), route("a", "a.t", "web", tls=EDGE))
    with site.router():
        weak = ("-cipher", "ALL:@SECLEVEL=0") if version == "-tls1_1" else ()
        text = site.openssl("-servername", "a.t", version, *weak)
        assert ("Cipher is (NONE)" not in text) is works, text
        if not works:
            assert "alert protocol version" in text


def test_the_groups_are_mozillas(site: Site, pod: Pod) -> None:
    site.put(*site.pod("web", pod), route("a", "a.t", "web", tls=EDGE))
    with site.router():
        for group, works in (("X25519", True), ("P-256", True), ("P-521", False), ("X448", False)):
            text = site.openssl("-servername", "a.t", "-groups", group)
            assert ("Cipher is (NONE)" not in text) is works, text


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_sessions_are_resumed(site: Site, pod: Pod, version: str) -> None:
    site.put(
        *site.pod("web", pod),
        route("a", "a.t", "web", tls={**EDGE, "certificate": Ca().leaf("a.t")}),
        route("b", "b.t", "web", tls=EDGE),
    )
    with site.router() as router:
        session = str(site.directory / "session")
        say = "GET / HTTP/1.1\r\nHost: a.t\r\nConnection: close\r\n\r\n"
        common = (version, "-ign_eof")
        first = site.openssl("-servername", "a.t", "-sess_out", session, *common, say=say)
        assert "HTTP/1.1 200" in first
        again = site.openssl("-servername", "a.t", "-sess_in", session, *common, say=say)
        assert "Reused" in again
        other = site.openssl("-servername", "b.t", "-sess_in", session, *common, say=say)
        assert "Reused" not in other
        assert 'tls_handshakes_total{resumed="true"} 1.0' in router.get("/metrics")[1]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_with_affinity_sessions_are_resumed_with_several_workers(
    site: Site, pod: Pod, version: str
) -> None:
    """Without, one in two would be: by chance all of these in one run of 65,000."""
    site.put(*site.pod("web", pod), route("a", "a.t", "web", tls=EDGE))
    with site.router("--client-affinity", workers=2) as router:
        session = str(site.directory / "session")
        say = "GET / HTTP/1.1\r\nHost: a.t\r\nConnection: close\r\n\r\n"
        common = ("-servername", "a.t", version, "-ign_eof")
        first = site.openssl("-sess_out", session, *common, say=say)
        assert "HTTP/1.1 200" in first
        for _ in range(16):
            assert "Reused" in site.openssl("-sess_in", session, *common, say=say)
        assert 'tls_handshakes_total{resumed="true"} 16.0' in router.get("/metrics")[1]


def test_affinity_by_the_balancers_address_is_refused(site: Site) -> None:
    command = [BIN / "podway-router", "--name", "apps"]
    command += ["--manifests", site.directory, "--client-affinity", "--proxy-protocol", "10.0.0.1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "leave one of the two out" in ended.stderr


def client_tls(ca: Ca, policy: str, *patterns: str) -> tuple[dict[str, Any], Object]:
    spec = {"clientCertificatePolicy": policy, "clientCA": {"name": "clients"}}
    bundle = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "clients", "namespace": "openshift-config"},
        "data": {"ca-bundle.pem": ca.pem},
    }
    return {"clientTLS": {**spec, "allowedSubjectPatterns": list(patterns)}}, bundle


def subject(name: str) -> x509.Name:
    oid = x509.NameOID
    pairs = ((oid.COUNTRY_NAME, "DE"), (oid.ORGANIZATION_NAME, "Shop"), (oid.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in pairs])


def test_client_certificates(site: Site, pod: Pod) -> None:
    ca = Ca("clients' CA")
    files = {}
    for name, signer in (("alice", ca), ("mallory", ca), ("stranger", Ca("other"))):
        files[name] = site.directory / f"{name}.pem"
        files[name].write_text(signer.leaf("client.t", subject=subject(name)))
    site.objects = [*site.pod("web", pod), route("a", "a.t", "web", tls=EDGE)]
    site.spec, bundle = client_tls(ca, "Required", "^/C=DE/O=Shop/CN=alice$")
    site.put(bundle)

    def ask(name: str = "") -> str:
        own = ("--cert", str(files[name])) if name else ()
        return site.curl("https://a.t/", "-k", *own)[0]

    with site.router() as router:
        assert ask("alice") == "200"
        assert ask("mallory") == "403"
        assert ask("stranger") == "[56]"
        assert ask() == "[56]"
        assert until("the reason", lambda: "handshake" in router.log.read_text())
        site.spec, _ = client_tls(ca, "Optional")
        site.put(bundle)
        until("the new policy", lambda: ask() == "200")
        assert ask("alice") == "200"
        assert ask("stranger") == "[56]"
        site.put()  # without the CA nobody is let in
        until("no CA", lambda: ask("alice") == "[56]")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_resumed_session_is_still_the_same_client(site: Site, pod: Pod, version: str) -> None:
    ca = Ca("clients' CA")
    site.spec, bundle = client_tls(ca, "Optional", "CN=alice$")
    site.put(*site.pod("web", pod), route("a", "a.t", "web", tls=EDGE), bundle)
    say = "GET / HTTP/1.1\r\nHost: a.t\r\nConnection: close\r\n\r\n"
    with site.router():
        for name, status in (("alice", "200"), ("mallory", "403")):
            own = site.directory / f"{name}.pem"
            own.write_text(ca.leaf("client.t", subject=subject(name)))
            session = str(site.directory / f"{name}.session")
            common = ("-servername", "a.t", version, "-ign_eof")
            first = site.openssl("-cert", str(own), "-sess_out", session, *common, say=say)
            assert f"HTTP/1.1 {status}" in first
            again = site.openssl("-sess_in", session, *common, say=say)
            assert "Reused" in again
            assert f"HTTP/1.1 {status}" in again


def test_what_expires_is_told(site: Site, pod: Pod) -> None:
    ca = Ca()
    site.put(
        *site.pod("web", pod),
        route("old", "old.t", "web", tls={**EDGE, "certificate": ca.leaf("old.t", days=-1)}),
        route("soon", "soon.t", "web", tls={**EDGE, "certificate": ca.leaf("soon.t", days=5)}),
        route("fine", "fine.t", "web", tls={**EDGE, "certificate": ca.leaf("fine.t", days=90)}),
    )
    with site.router() as router:
        text = until("warnings", lambda: router.log.read_text())
        assert "has expired on" in text
        assert "in 4 days" in text
        assert "fine" not in text
        metrics = router.get("/metrics")[1]
        assert "certificates_expiring 2.0" in metrics
        assert 'object="route shop/soon"' in metrics
        assert site.curl("https://soon.t/", ca=ca.file(site.directory))[0] == "200"
        assert site.curl("https://old.t/", "-k")[0] == "200"
