"""What pods are told about clients' certificates: podway-router beside HAProxy.

HAProxy has the lines of OpenShift's template for an IngressController with `clientTLS`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from edge_site import Site
from ingress_objects import route
from ingress_rig import Pod, address, free_port, until
from tls_rig import Ca

pytestmark = pytest.mark.live
OID = x509.NameOID
VALUES = {
    "X-Raw": "%[ssl_c_der]",
    "X-Lower": "%[ssl_c_der,lower]",
    "X-Mixed": "%[ssl_c_der,lower,base64]|%[ssl_c_der,base64,lower]|%{+Q,+E}[ssl_c_der,base64]",
}
"""Header actions that use it."""
TEMPLATE = """
  http-request set-header X-SSL                  %[ssl_fc]
  http-request set-header X-SSL-Client-Verify    %[ssl_c_verify]
  http-request set-header X-SSL-Client-Serial    %{+Q}[ssl_c_serial,hex]
  http-request set-header X-SSL-Client-Version   %{+Q}[ssl_c_version]
  http-request set-header X-SSL-Client-SHA1      %{+Q}[ssl_c_sha1,hex]
  http-request set-header X-SSL-Client-DN        %{+Q}[ssl_c_s_dn]
  http-request set-header X-SSL-Client-CN        %{+Q}[ssl_c_s_dn(cn)]
  http-request set-header X-SSL-Issuer           %{+Q}[ssl_c_i_dn]
  http-request set-header X-SSL-Client-NotBefore %{+Q}[ssl_c_notbefore]
  http-request set-header X-SSL-Client-NotAfter  %{+Q}[ssl_c_notafter]
  http-request set-header X-SSL-Client-DER       %{+Q}[ssl_c_der,base64]
"""
CONFIGURATION = """
global
  maxconn 50
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend public
  bind {bind} ssl crt {folder}/server.pem ca-file {folder}/ca.pem verify optional
{template}
{actions}
  default_backend pod
backend pod
  server pod {pod}
"""
SUBJECTS = {
    "usual": [
        x509.NameAttribute(OID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(OID.ORGANIZATION_NAME, 'Shop, "Inc"'),
        x509.NameAttribute(OID.COMMON_NAME, "alice \u00fc"),
        x509.NameAttribute(OID.COMMON_NAME, "second"),
        x509.NameAttribute(OID.EMAIL_ADDRESS, "a@b.c"),
    ],
    "odd": [
        x509.NameAttribute(OID.DOMAIN_COMPONENT, "org"),
        x509.NameAttribute(OID.USER_ID, "u/1=x"),
        x509.NameAttribute(x509.ObjectIdentifier("2.999.40000"), "odd"),
        x509.NameAttribute(OID.ORGANIZATION_NAME, "line\r\nX-Evil: 1\tend\x7f"),
    ],
    "wide": [
        x509.NameAttribute(OID.ORGANIZATION_NAME, "before"),
        x509.NameAttribute(OID.COMMON_NAME, "wide", _ASN1Type.BMPString),
    ],
    "none": [],
}
SERIALS = {"usual": 0xAB01FF, "odd": 1 << 158, "wide": 5, "none": 255}
UNTIL = {"usual": 2027, "odd": 2051, "wide": 2049, "none": 2105}


def certificate(ca: Ca, name: str) -> str:
    """A client's certificate and key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(SUBJECTS[name]))
        .issuer_name(ca.name)
        .public_key(key.public_key())
        .serial_number(SERIALS[name])
        .not_valid_before(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        .not_valid_after(datetime(UNTIL[name], 1, 2, 3, 4, 5, tzinfo=UTC))
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signed = builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return signed.decode() + private.decode()


@contextmanager
def haproxy(folder: Path, pod: Pod, where: tuple[str, int]) -> Iterator[None]:
    actions = "\n".join(
        f"  http-request set-header {name} '{value}'" for name, value in VALUES.items()
    )
    text = CONFIGURATION.format(
        bind=":".join(map(str, where)),
        folder=folder,
        template=TEMPLATE,
        actions=actions,
        pod=":".join(map(str, pod.where)),
    )
    (folder / "haproxy.cfg").write_text(text)
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program, "haproxy is not installed: sudo apt-get install haproxy"
    process = subprocess.Popen([program, "-db", "-f", str(folder / "haproxy.cfg")])
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, tuple[str, int], Ca]]:
    """Run both routers; gives (ours, HAProxy's address, the clients' CA)."""
    folder = tmp_path_factory.mktemp("certificates")
    ca, site = Ca("clients' CA"), Site(folder)
    (folder / "ca.pem").write_text(ca.pem)
    (folder / "server.pem").write_text(ca.leaf("a.t"))
    site.spec["clientTLS"] = {
        "clientCertificatePolicy": "Optional",
        "clientCA": {"name": "clients"},
    }
    bundle = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "clients", "namespace": "openshift-config"},
        "data": {"ca-bundle.pem": ca.pem},
    }
    asked = [
        {"name": name, "action": {"type": "Set", "set": {"value": value}}}
        for name, value in VALUES.items()
    ]
    spec = {"httpHeaders": {"actions": {"request": asked}}, "tls": {"termination": "edge"}}
    theirs = (address(), free_port("127.0.0.1"))
    with Pod("pod") as pod:
        site.put(bundle, *site.pod("web", pod), route("a", "a.t", "web", **spec))
        with site.router(), haproxy(folder, pod, theirs):
            yield site, theirs, ca


@pytest.mark.parametrize("name", [*SUBJECTS, ""])
def test_as_haproxy(name: str, both: tuple[Site, tuple[str, int], Ca]) -> None:
    site, theirs, ca = both
    own: tuple[str, ...] = ()
    if name:
        file = site.directory / f"{name}.pem"
        file.write_text(certificate(ca, name))
        own = ("--cert", str(file))

    def ask(*where: str) -> dict[str, str]:
        status, body = site.curl("https://a.t/", "-k", *own, *where)
        told = json.loads(body)["headers"] if status == "200" else []
        wanted = {one.lower() for one in VALUES}
        return {one: value for one, value in told if one.startswith("x-ssl") or one in wanted}

    ours = ask()
    assert len(ours) == 14
    host, port = theirs
    peer = until("HAProxy answers", lambda: ask("--connect-to", f"a.t:443:{host}:{port}"))
    assert ours == peer
