from __future__ import annotations

import socket

import pytest
from dnslib import CNAME, QTYPE, RCODE, RR, A, DNSRecord

from podway.resolve import NoAnswerError, read, resolve


def reply(*records: RR, rcode: str = "NOERROR") -> DNSRecord:
    made = DNSRecord.question("web.test").reply()
    made.header.rcode = getattr(RCODE, rcode)
    made.add_answer(*records)
    return made


def test_addresses_and_aliases_are_read() -> None:
    answer = read(
        reply(
            RR("web.test", QTYPE.CNAME, rdata=CNAME("host.test")),
            RR("host.test", QTYPE.A, rdata=A("127.0.0.1")),
            RR("host.test", QTYPE.A, rdata=A("127.0.0.2")),
        ),
        "web.test",
    )
    assert answer.rcode == "NOERROR"
    assert answer.chain == ("web.test", "host.test")
    assert answer.addresses == ("127.0.0.1", "127.0.0.2")


def test_a_refusal_is_read() -> None:
    assert read(reply(rcode="NXDOMAIN"), "web.test").rcode == "NXDOMAIN"


def test_nobody_there_is_said_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with pytest.raises(NoAnswerError, match="refused"):
        resolve(("127.0.0.1", port), "web.test", timeout=5)


def test_silence_and_garbage_are_said() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(NoAnswerError, match="did not answer"):
            resolve(sock.getsockname(), "web.test", timeout=0.05)
