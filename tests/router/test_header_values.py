"""What values of header actions give; the expected ones were read off HAProxy 2.6."""

from __future__ import annotations

import base64

import pytest

from podway_router.header_values import MOST, Fetch, pieces, printable

HEAD = (
    b'GET / HTTP/1.1\r\nHost: Up.t:80\r\nX-Multi: a, b\r\nX-Multi: c ,  D\r\nq: A"b\\c]d\r\n'
    b"empty:\r\n\r\n"
)
DER = b"0\x82\r\n\x02H\x86\x7f\0rest"


def filled(text: str, certificate: bytes = b"") -> bytes:
    head, low = HEAD, HEAD.lower()
    return b"".join(
        piece if isinstance(piece, bytes) else piece.filler()(head, low, certificate)
        for piece in pieces(text)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", b"plain"),
        ("  two  spaces  ", b"  two  spaces  "),
        ("100%% %%[req.hdr(q)]", b"100% %[req.hdr(q)]"),
        ("%%%%", b"%%"),
        ("\u00fc", b"\xc3\xbc"),
        ("%[req.hdr(X-Multi)]", b"D"),
        ("%[req.hdr(x-multi),lower]", b"d"),
        ("a%[req.hdr(none)]b", b"ab"),
        ("%[req.hdr(empty)]", b""),
        ("%[req.hdr(host)]|%[res.hdr(Host)]", b"Up.t:80|Up.t:80"),
        ("%{+Q}[req.hdr(q)]", b'A"b\\c]d'),
        ("%{+X}[req.hdr(q)]", b'A"b\\c]d'),
        ("%{+E}[req.hdr(q)]", b'A\\"b\\\\c\\]d'),
        ("%{E}[req.hdr(q)]", b'A\\"b\\\\c\\]d'),
        ("%{+Q,+E}[req.hdr(q)]", b'A\\"b\\\\c\\]d'),
        ("%{+E,-E}[req.hdr(q)]", b'A"b\\c]d'),
        ("%[req.hdr(q),lower,base64]", base64.b64encode(b'a"b\\c]d')),
        ("%[req.hdr(q),base64,lower]", base64.b64encode(b'A"b\\c]d').lower()),
        ("%[req.hdr(q),base64,base64]", base64.b64encode(base64.b64encode(b'A"b\\c]d'))),
        ("%[ssl_c_der]%[ssl_c_der,base64]", b""),
    ],
)
def test_values(text: str, expected: bytes) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%[ssl_c_der,base64]", base64.b64encode(DER)),
        ("%[ssl_c_der]", b"0\x82%0D%0A%02H\x86%7F"),
        ("%[ssl_c_der,lower]", b"0\x82%0D%0A%02h\x86%7F"),
        ("%[ssl_c_der,lower,base64]", base64.b64encode(DER.partition(b"\0")[0].lower())),
        ("%{+E}[ssl_c_der,base64]", base64.b64encode(DER)),
    ],
)
def test_of_a_certificate(text: str, expected: bytes) -> None:
    assert filled(text, DER) == expected


def test_literals_are_joined() -> None:
    assert pieces("a%%b%[req.hdr(X)]%%") == (b"a%b", Fetch(b"\r\nx:"), b"%")


@pytest.mark.parametrize(
    "text", ["%", "50%", "%[", "%[req.fhdr(a)]", "%[req.hdr()]", "%ci", "a\nb", "a\tb"]
)
def test_what_is_not_understood(text: str) -> None:
    with pytest.raises(ValueError, match="is not understood"):
        pieces(text)


def test_what_is_fetched_is_counted() -> None:
    assert len(pieces("%[ssl_c_der]" * MOST)) == MOST
    with pytest.raises(ValueError, match="more than"):
        pieces("%[ssl_c_der]" * (MOST + 1))


def test_nothing_unprintable_is_left() -> None:
    assert printable(b"a\tb\x01\xff") == b"a\tb%01\xff"
