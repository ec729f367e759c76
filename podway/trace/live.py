"""The steps that touch the network: asking dns, connecting, speaking TLS and HTTP."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Sequence
from typing import NamedTuple

from podway.ask import HttpAnswer, exchange, request
from podway.resolve import Answer, NoAnswerError, resolve
from podway.trace.step import Step, Target

DNS_SECONDS = 2.0
CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 35.0
"""A little longer than the router's own 30 s for a pod, so that its answer is seen."""

Address = tuple[str, int]


def ask_dns(server: Address, host: str) -> tuple[Step, tuple[str, ...]]:
    """Resolve the host; give the step and the addresses found."""
    where = f"{server[0]}:{server[1]}"
    try:
        answer = resolve(server, host, DNS_SECONDS)
    except NoAnswerError as error:
        advice = "Is the lab running? Start it with `podway up`, or name another server: --dns."
        return Step("DNS", False, f"no answer: {error}", advice=advice), ()
    if not answer.addresses:
        return Step("DNS", False, _no_address(answer, where)), ()
    chain = " -> ".join(answer.chain[1:])
    text = f"{host} is {' and '.join(answer.addresses)}"
    details = (f"{where} says so", *([f"through the alias {chain}"] if chain else []))
    return Step("DNS", True, text, details), answer.addresses


def _no_address(answer: Answer, where: str) -> str:
    if answer.rcode == "NXDOMAIN":
        return f"{where} knows no name {answer.chain[-1]} (NXDOMAIN)"
    if answer.rcode == "REFUSED":
        return f"{where} has no zone that {answer.chain[-1]} belongs to (REFUSED)"
    if answer.rcode == "NOERROR":
        return f"{where} knows {answer.chain[-1]}, but has no address (A record) for it"
    return f"{where} answered {answer.rcode}"


def connect(addresses: Sequence[str], port: int) -> tuple[Step, socket.socket | None]:
    """Try each address; give the step and the first connection, the others closed again."""
    details, first = [], None
    for host in addresses:
        begun = time.monotonic()
        try:
            sock = socket.create_connection((host, port), CONNECT_SECONDS)
        except OSError as error:
            details.append(f"{host}:{port}: {reason(error)}")
            continue
        details.append(f"{host}:{port} accepts ({(time.monotonic() - begun) * 1000:.1f} ms)")
        if first is None:
            first = sock
        else:
            sock.close()
    if first is None:
        return Step("load balancer", False, "none accepts a connection", tuple(details)), None
    host = first.getpeername()[0]
    return Step("load balancer", True, f"connected to {host}:{port}", tuple(details)), first


class Certificate(NamedTuple):
    """What the other end of a TLS connection showed."""

    version: str
    subject: str
    issuer: str
    until: str
    names: tuple[str, ...]


def handshake(sock: socket.socket, host: str) -> tuple[ssl.SSLSocket, Certificate]:
    """Speak TLS with SNI `host`; nothing is verified, for the certificate is what one looks at.

    Raises OSError (ssl.SSLError) when the other end refuses.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    sock.settimeout(ANSWER_SECONDS)
    wrapped = context.wrap_socket(sock, server_hostname=host)
    return wrapped, _certificate(wrapped)


def _certificate(sock: ssl.SSLSocket) -> Certificate:
    from cryptography import x509

    shown = x509.load_der_x509_certificate(sock.getpeercert(binary_form=True) or b"")
    try:
        kind = x509.SubjectAlternativeName
        names = shown.extensions.get_extension_for_class(kind).value.get_values_for_type(
            x509.DNSName
        )
    except x509.ExtensionNotFound:
        names = []
    return Certificate(
        sock.version() or "TLS",
        shown.subject.rfc4514_string(),
        shown.issuer.rfc4514_string(),
        f"{shown.not_valid_after_utc:%Y-%m-%d}",
        tuple(names),
    )


class Heard(NamedTuple):
    """An answer and how long it took."""

    answer: HttpAnswer
    milliseconds: float


def ask(sock: socket.socket, target: Target, port: int) -> Heard:
    """Send the request and read the answer. Raises OSError."""
    sock.settimeout(ANSWER_SECONDS)
    message = request(target.authority(port), target.path, "application/json, */*;q=0.5")
    begun = time.monotonic()
    answer = exchange(sock, message)
    return Heard(answer, (time.monotonic() - begun) * 1000)


def listens(host: str, port: int) -> str:
    """Connect to an endpoint directly: empty when it accepts, else why it does not."""
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        return reason(error)
    return ""


def reason(error: OSError) -> str:
    """Say an OS error in a few words."""
    known = {
        errno.ECONNREFUSED: "connection refused: nothing listens there",
        errno.ECONNRESET: "connection reset",
        errno.EHOSTUNREACH: "no route to host",
        errno.ENETUNREACH: "network unreachable",
    }
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return known.get(error.errno or 0, error.strerror or str(error))
