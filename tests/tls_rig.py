"""An HttpFront behind TLS in a thread of its own, certificates, and pods that speak TLS."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from http_rig import Handler, Pod, PodConnection, Rig

from podway_proxy.http.front import HttpFront
from podway_proxy.http.pool import Pool
from podway_proxy.http.secure import Wire
from podway_proxy.plane.front import TcpFront
from podway_proxy.plane.listener import Listener
from podway_proxy.sniff import tls
from podway_proxy.tls.contexts import Contexts, Terms, client_context
from podway_proxy.tls.entrance import Entrance
from podway_proxy.values import Arrival, Endpoint, Handover

USUAL = Terms()


class Ca:
    """A certificate authority of a test."""

    def __init__(self, name: str = "test CA") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(self.name, self.name, self.key).add_extension(constraint, critical=True)
        self.certificate = builder.sign(self.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        """The CA's certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def file(self, directory: Path) -> Path:
        """Write the CA's certificate where clients can read it."""
        path = directory / "test-ca.pem"
        path.write_text(self.pem)
        return path

    def leaf(self, *names: str, days: int = 30, subject: x509.Name | None = None) -> str:
        """A certificate for these names with its key behind it, in PEM."""
        return "".join(self.pair(*names, days=days, subject=subject))

    def pair(
        self,
        *names: str,
        days: int = 30,
        subject: x509.Name | None = None,
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
    ) -> tuple[str, str]:
        """(certificate, key) in PEM."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        alternatives = x509.SubjectAlternativeName([_name(name) for name in names])
        builder = _builder(subject or own, self.name, key, days)
        signed = builder.add_extension(alternatives, critical=False).sign(self.key, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return signed.public_bytes(serialization.Encoding.PEM).decode(), private.decode()

    def client(self) -> ssl.SSLContext:
        """A client's context that trusts this CA."""
        context = ssl.create_default_context(cadata=self.pem)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # as Python from 3.11.4 on has it
        return context

    def server(self, *names: str) -> ssl.SSLContext:
        """A server's context with a certificate of this CA."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        descriptor = os.memfd_create("leaf")
        try:
            os.write(descriptor, self.leaf(*names).encode())
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return context


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    days: int = 30,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


class TlsPod(Pod):
    """A raw server inside TLS."""

    def __init__(self, handler: Handler, context: ssl.SSLContext, name: str = "") -> None:
        self.context = context
        self.names: list[str | None] = []
        context.sni_callback = lambda _sock, sni, _context: self.names.append(sni)
        super().__init__(handler, name)

    def _serve(self, connection: PodConnection) -> None:
        with contextlib.suppress(OSError):
            plain = connection.sock
            connection.sock = self.context.wrap_socket(
                plain, server_side=True, suppress_ragged_eofs=False
            )
            super()._serve(connection)


class TlsRig(Rig):
    """The front under test behind TLS. `ca` signs what it shows for every name."""

    def __init__(
        self, routes: dict[str, list[Endpoint]], ca: Ca, terms: Terms = USUAL, **options: Any
    ) -> None:
        super().__init__(routes, **options)
        self.ca = ca
        self.terms = terms
        self.failures: list[str] = []
        self.arrivals: list[Arrival] = []
        self.leaf = ca.leaf("a", "127.0.0.1")

    def _run(self, started: Any) -> None:
        self.contexts = Contexts()
        super()._run(started)

    def secure(self, front: HttpFront) -> None:
        """Put TLS before the front (called in its thread)."""
        self.entrance = Entrance(
            self.plane, self._secured, lambda _, reason: self.failures.append(reason)
        )
        self.tcp: TcpFront[tls.Hello] = TcpFront(
            self.plane, decide=self._decide, sniff=tls.sniff_hello, limits=self._limits
        )
        self.listener.drain()
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = self.sock.getsockname()
        self.listener = Listener(self.plane, self.sock, self.tcp.accept)

    def _secured(self, stream: Any, arrival: Arrival) -> None:
        self.arrivals.append(arrival)
        self.front.admit(stream, arrival)

    def _decide(self, _: Arrival, hello: tls.Hello | None, __: bool) -> Handover:
        context = self.contexts.server("leaf", lambda: self.leaf, self.terms)
        name = None if hello is None else hello.sni
        timeout = self._limits.handshake_timeout
        return Handover(partial(self.entrance.take, context, name, timeout))

    def __enter__(self) -> TlsRig:
        super().__enter__()
        self.call(lambda: self.secure(self.front))
        return self

    def __exit__(self, *exc: object) -> None:
        wire = self._target.get("wire")
        if wire is not None:
            self.call(wire.pool.close)
        super().__exit__(*exc)

    def wire(self, ca: str, accepts: Any = lambda _: "") -> Wire:
        """Parameters for endpoints that speak TLS (use in the front's thread)."""
        return Wire(client_context(ca), "a", accepts, Pool(self.plane, 8, 30.0))

    def open(self, name: str = "a", context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """Connect and shake hands."""
        return (context or self.ca.client()).wrap_socket(self.connect(), server_hostname=name)


@contextlib.contextmanager
def secured(
    *handlers: Handler, pod_ca: Ca | None = None, trust: str | None = None, **options: Any
) -> Iterator[tuple[TlsRig, Sequence[Pod]]]:
    """A rig whose host `a` has a pod for each handler; with `pod_ca` they speak TLS."""
    ca = Ca()
    pods = [
        Pod(handler) if pod_ca is None else TlsPod(handler, pod_ca.server("pod.test"))
        for handler in handlers
    ]
    rig = TlsRig({"a": [pod.endpoint for pod in pods]}, ca, **options)
    try:
        with rig:
            if pod_ca is not None:
                wire = rig.call(lambda: rig.wire(pod_ca.pem if trust is None else trust))
                rig._target["wire"] = wire
            yield rig, pods
    finally:
        for pod in pods:
            pod.close()
