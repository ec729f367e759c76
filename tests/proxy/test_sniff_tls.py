from __future__ import annotations

import hellos
import pytest
from hellos import alpn, extension, message, name_entry, records, server_name, u16

from podway_proxy.sniff.tls import Hello, alert, answer, sniff_hello
from podway_proxy.verdict import Found, NeedMore, Reject

NAME = b"web.apps.lab.example.test"


def read(data: bytes) -> Hello:
    verdict = sniff_hello(data)
    assert isinstance(verdict, Found), verdict
    assert verdict.consumed == 0
    return verdict.value


def refusal(data: bytes) -> Reject:
    verdict = sniff_hello(data)
    assert isinstance(verdict, Reject), verdict
    return verdict


def test_name_and_protocols() -> None:
    assert read(hellos.hello(NAME, b"h2", b"http/1.1")) == (NAME.decode(), (b"h2", b"http/1.1"))


@pytest.mark.parametrize(
    ("name", "protocols"),
    [(None, ()), ("web.apps.lab.example.test", ()), ("WEB.example.test", ("h2", "postgresql"))],
)
def test_openssl_hello(name: str | None, protocols: tuple[str, ...]) -> None:
    expected = Hello(name and name.lower(), tuple(each.encode() for each in protocols))
    assert read(hellos.openssl_hello(name, protocols)) == expected


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        (b"WEB.Example.TEST", "web.example.test"),
        (b"web.example.test.", "web.example.test"),
        (b"a_b.example.test", "a_b.example.test"),
        (b"localhost", "localhost"),
        (b"x" * 63 + b".test", "x" * 63 + ".test"),
        (b"a." * 127, "a." * 126 + "a"),
        (b"127.0.0.1", None),
        (b"127.0.0.1.", None),
        (b"::1", None),
        (b"2001:DB8::1", None),
    ],
)
def test_name_as_host_rule(sent: bytes, read_as: str | None) -> None:
    assert read(hellos.hello(sent)).sni == read_as


@pytest.mark.parametrize(
    "name",
    [
        b".",
        b"web..test",
        b".web.test",
        b"web.test..",
        b"web\0.test",
        b"web.test\0.other.test",
        b"web.test:443",
        b"web test",
        b"*.apps.test",
        "bücher.test".encode(),
        "bücher.test".encode("latin-1"),
        b"x" * 64 + b".test",
        b"/etc",
        b"[::1]",
        b"a." * 127 + b"a",
        b"a." * 128 + b"test",
        b"a" + b"." * 255,
        b"x" * 300,
        b":" * 15_000 + b"x",
        b"1." * 7_000,
    ],
)
def test_name_that_is_none(name: bytes) -> None:
    rejected = refusal(hellos.hello(name))
    assert rejected.reason == "the ClientHello's server name is no host name"
    assert answer(rejected) == alert(112)


@pytest.mark.parametrize(
    ("extensions", "description"),
    [
        ([server_name(b"")], 50),
        ([server_name()], 50),
        ([extension(0, b"")], 50),
        ([extension(0, u16(10) + name_entry(b"a.test"))], 50),
        ([extension(0, u16(8) + name_entry(b"a.test"))], 50),
        ([extension(0, u16(9) + b"\x00" + u16(7) + b"a.test")], 50),
        ([extension(0, u16(9) + name_entry(b"a.test", kind=1))], 50),
        ([server_name(b"a.test", b"b.test")], 47),
        ([server_name(b"a.test"), server_name(b"b.test")], 47),
        ([server_name(b"a.test"), server_name(b"a.test")], 47),
        ([alpn()], 50),
        ([alpn(b"")], 50),
        ([alpn(b"h2", b"")], 50),
        ([extension(16, u16(3) + b"\x09h2")], 50),
        ([extension(16, b"")], 50),
        ([alpn(b"h2"), alpn(b"h2")], 50),
        ([u16(23) + u16(5)], 50),
        ([b"\x00"], 50),
    ],
)
def test_extensions_that_lie(extensions: list[bytes], description: int) -> None:
    assert answer(refusal(records(message(*extensions)))) == alert(description)


def test_grease_and_unknown_extensions_are_passed_over() -> None:
    odd = [extension(hellos.GREASE, b""), extension(0xFAFA, b"\0"), extension(12345, b"x" * 99)]
    assert read(records(message(*odd, server_name(NAME), *odd))).sni == NAME.decode()


def test_post_quantum_hello_over_two_records() -> None:
    big = extension(hellos.KEY_SHARE, b"k" * 2_400)
    data = message(big, server_name(NAME), alpn(b"h2"))
    assert read(records(data, cuts=[1_200])) == (NAME.decode(), (b"h2",))


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0303, 0x0304])
def test_legacy_versions(version: int) -> None:
    data = records(message(server_name(NAME), version=version), version=version)
    assert read(data).sni == NAME.decode()


def test_hello_without_extensions() -> None:
    assert read(records(message(with_extensions=False))) == (None, ())
    assert read(records(message())) == (None, ())


def test_what_follows_the_hello_does_not_matter() -> None:
    whole = hellos.hello(NAME)
    assert read(whole + b"early data") == read(whole)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"G", "plain text"),
        (b"PROXY TCP4", "plain text"),
        (b"\x80", "SSLv2"),
        (b"\x00", "no TLS"),
        (b"\x15", "no TLS"),
        (b"\r", "no TLS"),
        (b"\x16\x02", "no TLS"),
        (b"\x16\x03\x01\x00\x05\x02", "ClientHello"),
    ],
)
def test_what_is_no_tls_is_rejected_at_the_first_telling_byte(data: bytes, words: str) -> None:
    assert words in refusal(data).reason
    if len(data) > 1 and data[0] == 22:
        assert isinstance(sniff_hello(data[:-1]), NeedMore)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x40\x01",
        records(b"\x01\x00") + b"\x17\x03\x01\x00\x05",
        records(b"\x01\x00") + b"\x16\x02\x01\x00\x05",
        records(b"\x01\x00") + b"\x16\x03\x01\x00\x00",
    ],
)
def test_records_that_lie(data: bytes) -> None:
    assert answer(refusal(data)) == alert(50)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x03\x03" + b"r" * 32,
        b"\x03\x03" + b"r" * 32 + b"\xff",
        b"\x03\x03" + b"r" * 32 + b"\x00\x00\x04",
        b"\x03\x03" + b"r" * 32 + b"\x00\x00\x02\x13\x01\x01",
        b"\x03\x03" + b"r" * 32 + b"\x21" + b"s" * 33 + b"\x00\x02\x13\x01\x01\x00",
        b"\x02\x00" + b"r" * 32 + b"\x00\x00\x02\x13\x01\x01\x00",
        b"\x03\x03" + b"r" * 32 + b"\x00\x00\x02\x13\x01\x01\x00\x00",
        b"\x03\x03" + b"r" * 32 + b"\x00\x00\x02\x13\x01\x01\x00\x00\x01",
        b"\x03\x03" + b"r" * 32 + b"\x00\x00\x02\x13\x01\x01\x00\x00\x00\x00",
    ],
)
def test_bodies_that_lie(body: bytes) -> None:
    assert answer(refusal(records(hellos.handshake(body)))) == alert(50)


def test_longer_than_the_limit_is_rejected_as_soon_as_its_length_is_known() -> None:
    data = records(message(extension(hellos.PADDING, bytes(16_200))))
    assert 16_000 < len(data) < 16_384
    assert isinstance(sniff_hello(data), Found)
    assert sniff_hello(data, limit=len(data) - 1) == sniff_hello(data[:9], limit=len(data) - 1)
    assert "longer than the limit" in refusal(b"\x16\x03\x01\x40\x00\x01\x00\x40\x00").reason
    assert "longer than the limit" in refusal(b"\x16\x03\x01\x02\x00\x01\x01\x00\x00").reason


def test_more_records_than_the_limit_has_room_for() -> None:
    data = message(extension(hellos.PADDING, bytes(4_000)))
    wire = records(data, cuts=range(1, len(data)))
    assert len(wire) > 16_384
    assert "longer than the limit" in refusal(wire).reason


def test_need_more_is_exact() -> None:
    wire = hellos.hello(NAME)
    assert sniff_hello(b"") == NeedMore(1)
    assert sniff_hello(wire[:1]) == NeedMore(8)
    assert sniff_hello(wire[:9]) == NeedMore(len(wire) - 9)
    assert sniff_hello(wire[:-1]) == NeedMore(1)
    two = records(message(server_name(NAME)), cuts=[60])
    assert sniff_hello(two[:20]) == NeedMore(len(two) - 20)
    assert sniff_hello(two[:65]) == NeedMore(len(two) - 65)
    assert sniff_hello(two[:67]) == NeedMore(len(two) - 67)


def test_answers() -> None:
    assert alert(40) == b"\x15\x03\x03\x00\x02\x02\x28"
    page = answer(refusal(b"GET / HTTP/1.1\r\n"))
    head, _, body = page.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-length: %d\r\n" % len(body) in head
    assert answer(refusal(b"\x80\x2e\x01\x00\x02")) == alert(70)
    assert answer(refusal(b"\x00")) == b""
