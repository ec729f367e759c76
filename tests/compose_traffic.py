"""Requests from the host, on and on, counted: what a client notices of a stop or a failure."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

TIMEOUT = 10.0
"""A request that takes longer has failed."""
PAUSE = 0.005


class Address(NamedTuple):
    """Where to connect, and for which host to ask."""

    host: str
    port: int
    name: str


class Traffic:
    """What came of the requests so far."""

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        """Answers with status 200, by the address that was connected to."""
        self.failures: list[str] = []
        self.passed_over: list[str] = []
        """Addresses that failed where another one then answered."""

    @property
    def total(self) -> int:
        """Requests that were answered."""
        return self.answered.total()

    def wait_for_more(self, count: int, seconds: float = 60.0) -> None:
        """Wait until so many more requests have been answered."""
        wanted, end = self.total + count, time.monotonic() + seconds
        while self.total < wanted:
            assert time.monotonic() < end, f"{self.total} of {wanted}; {self.failures[-3:]}"
            time.sleep(0.02)


@contextlib.contextmanager
def traffic(addresses: Sequence[Address], *, fresh: int = 2, kept: int = 2) -> Iterator[Traffic]:
    """Send requests until the block ends.

    `fresh` threads open a connection for each request, `kept` ones keep theirs until it is closed
    by its `Connection: close`. Each starts with the first address that worked last.
    """
    seen, ended = Traffic(), threading.Event()
    jobs: list[Callable[[], None]] = [lambda: _fresh(seen, ended, addresses)] * fresh
    jobs += [lambda: _kept(seen, ended, addresses[0])] * kept
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _fresh(seen: Traffic, ended: threading.Event, addresses: Sequence[Address]) -> None:
    order = list(addresses)
    while not ended.wait(PAUSE):
        wrong = []
        for address in list(order):
            connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT)
            with contextlib.closing(connection):
                problem = _ask(connection, address)
            if not problem:
                seen.answered[address.host] += 1
                seen.passed_over += wrong
                break
            wrong.append(f"{address.host}: {problem}")
            order.append(order.pop(0))  # as browsers do: what failed is not the first next time
        else:
            seen.failures += wrong


def _kept(seen: Traffic, ended: threading.Event, address: Address) -> None:
    # http.client opens a new connection when the last answer has ended the one before.
    connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT)
    with contextlib.closing(connection):
        while not ended.wait(PAUSE):
            if problem := _ask(connection, address):
                seen.failures.append(f"kept, {address.host}: {problem}")
                connection.close()
            else:
                seen.answered[address.host] += 1


def _ask(connection: http.client.HTTPConnection, address: Address) -> str:
    """Send one request; give what went wrong, or nothing."""
    try:
        connection.request("GET", "/", headers={"Host": f"{address.name}:{address.port}"})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    return "" if answer.status == 200 else f"{answer.status} {body[:200]!r}"
