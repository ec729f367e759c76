"""A stream of frames, cut anywhere, gives the same messages with the same descriptors."""

from __future__ import annotations

import os
import socket

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.process.channel import Channel, encode, pair

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
BODIES = st.dictionaries(st.text(max_size=6), VALUES, max_size=4)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(BODIES, st.integers(0, 3)), min_size=1, max_size=6),
    st.lists(st.integers(1, 40), min_size=1, max_size=10),
)
def test_any_split_gives_the_same_messages(
    messages: list[tuple[dict[str, object], int]], cuts: list[int]
) -> None:
    one, other = pair()
    two = Channel(other)
    marks = [os.memfd_create(f"mark-{number}") for number in range(3)]
    seen = []
    turn = 0
    for body, count in messages:
        frame = encode(body, count)
        fds = marks[:count]
        while frame:
            size = cuts[turn % len(cuts)]
            turn += 1
            socket.send_fds(one.sock, [frame[:size]], fds)
            frame, fds = frame[size:], []
            if turn % 2:
                seen += two.receive()
    seen += two.receive()
    assert [message.body for message in seen] == [body for body, _ in messages]
    for message, (_, count) in zip(seen, messages, strict=True):
        assert [os.fstat(fd).st_ino for fd in message.fds] == [
            os.fstat(fd).st_ino for fd in marks[:count]
        ]
    for fd in [*marks, *(fd for message in seen for fd in message.fds)]:
        os.close(fd)
    one.close()
    two.close()
