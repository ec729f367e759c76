from __future__ import annotations

import fcntl
import os

import pytest

from podway_proxy.plane.pipes import Pipe, PipePool


class Sleeper:
    """Rests on a pipe."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe: Pipe | None = pipe

    def surrender(self) -> Pipe:
        assert self.pipe is not None
        pipe, self.pipe = self.pipe, None
        return pipe


def take(pool: PipePool) -> Pipe:
    pipe = pool.take()
    assert pipe is not None
    return pipe


def test_at_most_cap_pipes_of_full_size_are_made_and_used_again() -> None:
    pool = PipePool(2, 131_072)
    first, second = take(pool), take(pool)
    assert fcntl.fcntl(first.writer, fcntl.F_GETPIPE_SZ) == 131_072
    assert pool.take() is None
    pool.give(first)
    assert pool.take() == first
    pool.discard(first)
    pool.discard(second)
    assert pool.made == 0


def test_a_pipe_on_which_somebody_rests_goes_to_who_needs_it() -> None:
    pool = PipePool(1, 65_536)
    sleeper = Sleeper(take(pool))
    assert pool.take() is None
    pool.rest(sleeper)
    pool.rouse(sleeper)
    assert pool.take() is None
    pool.rest(sleeper)
    pipe = take(pool)
    assert sleeper.pipe is None
    assert pool.take() is None
    pool.discard(pipe)


def test_a_pipe_that_the_kernel_does_not_grant_is_none_and_not_asked_for_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = PipePool(4, 1 << 31)  # more than fs.pipe-max-size, for root too: F_SETPIPE_SZ fails
    before = len(os.listdir("/proc/self/fd"))
    assert pool.take() is None
    assert len(os.listdir("/proc/self/fd")) == before
    asked: list[int] = []
    monkeypatch.setattr(pool.__class__, "_make", lambda self: asked.append(1))
    assert pool.take() is None
    assert not asked


def test_a_discarded_pipe_makes_room_for_a_new_one() -> None:
    pool = PipePool(1, 65_536)
    pipe = take(pool)
    os.write(pipe.writer, b"left over")
    pool.discard(pipe)
    pipe = take(pool)
    with pytest.raises(BlockingIOError):
        os.read(pipe.reader, 1)
    pool.discard(pipe)
