from __future__ import annotations

import hellos
import pytest

from podway_proxy.sniff.postgres import GSSENC_REQUEST, SSL_REQUEST, Preamble, sniff_preamble
from podway_proxy.verdict import Found, NeedMore, Reject


@pytest.mark.parametrize(("request_", "answer"), [(SSL_REQUEST, b"S"), (GSSENC_REQUEST, b"N")])
def test_requests(request_: bytes, answer: bytes) -> None:
    for data in (request_, request_ + hellos.hello()):
        assert sniff_preamble(data) == Found(Preamble(answer), 8)
    for end in range(8):
        assert sniff_preamble(request_[:end]) == NeedMore(8 - end)


def test_tls_follows_an_s_only() -> None:
    assert Preamble(b"S").tls_follows
    assert not Preamble(b"N").tls_follows


@pytest.mark.parametrize("at", range(8))
def test_rejected_at_the_first_other_byte(at: int) -> None:
    other = SSL_REQUEST[:at] + b"\xff"
    assert isinstance(sniff_preamble(other), Reject)
    assert isinstance(sniff_preamble(other + bytes(8)), Reject)


def test_a_hello_a_startup_and_a_cancel_are_none() -> None:
    startup = b"\x00\x00\x00\x08\x00\x03\x00\x00"
    cancel = b"\x00\x00\x00\x10\x04\xd2\x16\x2e"
    for data in (hellos.hello(), startup, cancel, b"\x16"):
        assert isinstance(sniff_preamble(data), Reject)
