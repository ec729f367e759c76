from __future__ import annotations

import ssl

import hellos
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.sniff.tls import Hello, sniff_hello
from podway_proxy.verdict import Found, NeedMore, Reject, Verdict

LABELS = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(".".join).filter(lambda n: not n[-1].isdigit())
PROTOCOLS = st.lists(st.binary(min_size=1, max_size=20), max_size=4)
OTHERS = st.lists(
    st.tuples(st.integers(17, 65_535), st.binary(max_size=40)).map(
        lambda each: hellos.extension(*each)
    ),
    max_size=4,
)


def feed(wire: bytes, sizes: list[int]) -> Verdict[Hello]:
    """Give the sniffer one more piece until it is sure; it must wait for what it asks for."""
    end, pieces = 0, iter([*sizes, *[1] * len(wire)])
    verdict: Verdict[Hello] = sniff_hello(b"")
    while isinstance(verdict, NeedMore):
        wanted = end + verdict.at_least
        assert verdict.at_least > 0
        assert wanted <= len(wire)
        end = min(len(wire), end + next(pieces))
        verdict = sniff_hello(wire[:end])
        if wanted > end and end > 8:
            assert not isinstance(verdict, Found)
    return verdict


@given(NAMES, PROTOCOLS, OTHERS, st.data())
@settings(max_examples=150, deadline=None)
def test_any_split_into_records_and_segments_gives_the_same(
    name: str, protocols: list[bytes], others: list[bytes], data: st.DataObject
) -> None:
    parts = [hellos.server_name(name.encode()), *others]
    if protocols:
        parts.append(hellos.alpn(*protocols))
    message = hellos.message(*data.draw(st.permutations(parts)))
    cuts = data.draw(st.sets(st.integers(1, len(message) - 1), max_size=30))
    sizes = data.draw(st.lists(st.integers(1, 200), max_size=30))
    verdict = feed(hellos.records(message, cuts), sizes)
    assert verdict == Found(Hello(name.lower(), tuple(protocols)), 0)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_garbage_never_raises(data: bytes) -> None:
    for wire in (data, b"\x16\x03" + data, hellos.records(hellos.handshake(data))):
        sniff_hello(wire)


MUTATIONS = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4)


def mutated(wire: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(wire)
    for at, value in changes:
        changed[at % len(wire)] = value
    return bytes(changed)


@given(MUTATIONS, st.lists(st.integers(1, 120), max_size=20))
@settings(max_examples=300, deadline=None)
def test_a_verdict_does_not_depend_on_the_pieces(
    changes: list[tuple[int, int]], sizes: list[int]
) -> None:
    wire = mutated(hellos.hello(b"web.apps.test", b"h2", b"http/1.1"), changes)
    whole = sniff_hello(wire)
    end = 0
    for size in sizes:
        end += size
        verdict = sniff_hello(wire[:end])
        if not isinstance(verdict, NeedMore):
            assert type(verdict) is type(whole)
            assert isinstance(verdict, Reject) or verdict == whole
            return


class _Server:
    """OpenSSL as the second reader: what it hands to sni_callback."""

    def __init__(self) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sni_callback = self.seen
        self.names: list[str | None] = []

    def seen(self, _socket: object, name: str | None, _context: object) -> None:
        self.names.append(name)

    def read(self, wire: bytes) -> list[str | None]:
        """Give the name that OpenSSL read, or nothing when it refused before it asked."""
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(wire)
        self.names.clear()
        server = self.context.wrap_bio(incoming, outgoing, server_side=True)
        try:
            server.do_handshake()
        except ssl.SSLError:
            return list(self.names)
        raise AssertionError("a handshake of one message came to an end")


SERVER = _Server()
REAL = hellos.openssl_hello("web.apps.test", ["h2", "http/1.1"])


@given(MUTATIONS)
@settings(max_examples=200, deadline=None)
def test_openssl_never_reads_another_name(changes: list[tuple[int, int]]) -> None:
    wire = mutated(REAL, changes)
    verdict = sniff_hello(wire)
    if not isinstance(verdict, Found):
        return  # what is refused reaches nobody (and Python's own callback fails on some of it)
    theirs = SERVER.read(wire)
    if theirs:
        assert verdict.value.sni == (theirs[0] and theirs[0].lower().removesuffix("."))


def test_openssl_reads_the_same_name() -> None:
    assert SERVER.read(REAL) == ["web.apps.test"]
