from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from podway_proxy.process.channel import Channel, encode, pair


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    one, other = pair()
    two = Channel(other)
    yield one, two
    one.close()
    two.close()


def test_messages_arrive_in_order_with_their_descriptors(ends: tuple[Channel, Channel]) -> None:
    one, two = ends
    reader, writer = os.pipe()
    one.send({"op": "first"})
    one.send({"op": "second"}, [reader])
    one.send({"op": "third"})
    os.write(writer, b"through the handed descriptor")
    messages = two.receive()
    assert [message.body["op"] for message in messages] == ["first", "second", "third"]
    assert [len(message.fds) for message in messages] == [0, 1, 0]
    (handed,) = messages[1].fds
    assert not os.get_inheritable(handed)
    assert os.read(handed, 100) == b"through the handed descriptor"
    for fd in (reader, writer, handed):
        os.close(fd)


def test_a_peer_that_does_not_read_leaves_bytes_pending_and_gets_all_later(
    ends: tuple[Channel, Channel],
) -> None:
    one, two = ends
    big = {"text": "x" * 3_000_000}
    one.send(big)
    one.send({"op": "behind"})
    assert one.pending > 0
    received = []
    while one.pending or len(received) < 2:
        received += two.receive()
        one.flush()
    assert [message.body for message in received] == [big, {"op": "behind"}]


def test_the_end_comes_after_what_was_sent_before_it(ends: tuple[Channel, Channel]) -> None:
    one, two = ends
    one.send({"op": "last words"})
    one.close()
    assert [message.body for message in two.receive()] == [{"op": "last words"}]
    assert two.closed
    assert two.receive() == []


def test_writing_to_a_peer_that_is_gone_sets_closed_and_raises_nothing(
    ends: tuple[Channel, Channel],
) -> None:
    one, two = ends
    two.close()
    one.send({"op": "anybody there"})
    assert one.closed
    one.send({"op": "still"})
    assert one.pending == 0


def test_a_frame_of_absurd_length_is_an_error(ends: tuple[Channel, Channel]) -> None:
    one, two = ends
    one.sock.send(b"\xff\xff\xff\xff\x00")
    with pytest.raises(ValueError, match="4294967295 bytes"):
        two.receive()


def test_too_many_descriptors_are_refused_before_they_are_sent() -> None:
    with pytest.raises(ValueError, match="17 descriptors"):
        encode({}, 17)


def test_a_frozen_channel_goes_on_where_it_stopped() -> None:
    one, other = pair()
    frame = encode({"op": "halved"})
    one.sock.send(frame[:7])
    two = Channel(other)
    assert two.receive() == []
    frozen = two.freeze()
    thawed = Channel.thaw({**frozen, "fd": os.dup(frozen["fd"])})
    two.close()
    one.sock.send(frame[7:])
    assert [message.body for message in thawed.receive()] == [{"op": "halved"}]
    one.close()
    thawed.close()


def test_descriptors_that_nobody_took_are_closed_with_the_channel() -> None:
    one, other = pair()
    reader, writer = os.pipe()
    frame = encode({"op": "never complete"}, 1)
    socket.send_fds(one.sock, [frame[:-1]], [reader])
    two = Channel(other)
    assert two.receive() == []
    os.close(reader)
    two.close()
    one.close()
    with pytest.raises(BrokenPipeError):
        os.write(writer, b"x")
    os.close(writer)
