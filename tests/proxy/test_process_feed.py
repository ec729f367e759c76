from __future__ import annotations

import asyncio

from plane_rig import until

from podway_proxy.process.changes import Replica
from podway_proxy.process.channel import Channel, pair
from podway_proxy.process.feed import Current, Encoder, Feed
from podway_proxy.process.link import Link


def connected(gone: list[str]) -> tuple[Feed, Channel]:
    ours, theirs = pair()
    feed = Feed(0, 1, Encoder())
    loop = asyncio.get_running_loop()
    feed.connect(lambda on_message: Link(loop, ours, on_message, lambda: gone.append("gone")))
    return feed, Channel(theirs)


async def test_a_worker_that_does_not_read_gets_one_difference_to_what_it_was_sent() -> None:
    feed, worker = connected([])
    big = "x" * 1_000_000
    versions = [Current(number, {"big": big, "n": number}) for number in range(1, 50)]
    for version in versions:
        feed.offer(version)
    replica, messages = Replica(), []
    async with asyncio.timeout(20):
        while replica.version < 49:
            for message in worker.receive():
                messages.append(message.body)
                replica.take(message.body)
            await asyncio.sleep(0)
    assert replica.entries == versions[-1].entries
    assert [message["version"] for message in messages] == [1, 49]
    assert messages[1]["put"] == {"n": 49}
    worker.send({"op": "applied", "version": 49})
    await until(lambda: feed.applied == 49)
    feed.close()
    worker.close()


async def test_the_first_message_is_the_full_set() -> None:
    feed, worker = connected([])
    feed.offer(Current(7, {"a": 1}))
    feed.offer(Current(8, {"a": 1, "b": 2}))
    bodies = [message.body for message in worker.receive()]
    assert [body["full"] for body in bodies] == [True, False]
    assert bodies[0]["put"] == {"a": 1}
    feed.close()
    worker.close()


async def test_the_end_of_a_worker_is_told_once() -> None:
    gone: list[str] = []
    feed, worker = connected(gone)
    worker.close()
    await until(lambda: gone == ["gone"])
    feed.offer(Current(1, {"a": 1}))
    feed.close()
    assert gone == ["gone"]


def test_what_several_workers_need_alike_is_encoded_once() -> None:
    encoder = Encoder()
    old, new = Current(1, {"a": 1}), Current(2, {"a": 2})
    assert encoder.frame(old, new) is encoder.frame(old, new)
    assert encoder.frame(None, new) != encoder.frame(old, new)
