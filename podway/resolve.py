"""Asks one name server one question over UDP, as a stub resolver does."""

from __future__ import annotations

import socket
from typing import NamedTuple

from dnslib import RCODE, DNSError, DNSRecord


class Answer(NamedTuple):
    """What the name server said."""

    rcode: str
    """NOERROR, NXDOMAIN, REFUSED, …"""
    chain: tuple[str, ...]
    """The names that the CNAMEs lead through, without trailing dots; the asked one first."""
    addresses: tuple[str, ...]


class NoAnswerError(OSError):
    """The name server was not reached or sent something else than DNS; the text says which."""


def resolve(server: tuple[str, int], host: str, timeout: float) -> Answer:
    """Ask `server` for the A records of `host`. Raises `NoAnswerError` after `timeout` seconds."""
    question = DNSRecord.question(host, "A")
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            sock.connect(server)  # so that "port unreachable" comes back as an error at once
            sock.send(question.pack())
            reply = DNSRecord.parse(sock.recv(4096))
    except TimeoutError:
        raise NoAnswerError(f"{server[0]}:{server[1]} did not answer in {timeout:g} s") from None
    except OSError as error:
        raise NoAnswerError(f"{server[0]}:{server[1]}: {error.strerror}") from None
    except DNSError as error:
        raise NoAnswerError(f"{server[0]}:{server[1]} sent no DNS message: {error}") from None
    return read(reply, host)


def read(reply: DNSRecord, host: str) -> Answer:
    """Take the rcode, the CNAME chain and the addresses from a reply. Pure."""
    chain, addresses = [host], []
    for record in reply.rr:
        value = str(record.rdata)
        if record.rtype == _CNAME:
            chain.append(value.rstrip("."))
        elif record.rtype == _A:
            addresses.append(value)
    return Answer(RCODE[reply.header.rcode], tuple(chain), tuple(addresses))


_A, _CNAME = 1, 5  # RFC 1035 section 3.2.2
