"""Health checks: once per host, in the loader, not once per worker.

An endpoint that is down has an entry `down/<host>:<port>` whose value says why. Each endpoint is
looked at as soon as it is known, and until its first flip or success in quick succession, so that
a dead one is known to be dead after `fall` short pauses; later at its own interval.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from podway_proxy.balance.health import Health
from podway_proxy.log import Log
from podway_proxy.process import address
from podway_proxy.process.spec import ProbeSpec, TlsSpec

if TYPE_CHECKING:
    import ssl

_QUICK: Final = 0.2
"""Seconds between the first checks of an endpoint."""
_JITTER: Final = 0.1
"""Checks are spread by a tenth of their interval, so that they do not come all at once."""
_STATUS_BYTES: Final = 256
"""Longest status line read: the code stands in its first dozen bytes."""
_AT_ONCE: Final = 64
"""Checks under way at the same time."""


def key(probe: ProbeSpec) -> str:
    """Give the entry's key for an endpoint that is down."""
    return f"down/{probe.host}:{probe.port}"


class Prober:
    """Follows a set of endpoints; calls `on_flip` after a change of `down`."""

    def __init__(
        self, log: Log, on_flip: Callable[[], None], down: Mapping[str, str] | None = None
    ) -> None:
        self.down: dict[str, str] = dict(down or {})
        """What is down, and why, by entry key."""
        self._log = log
        self._on_flip = on_flip
        self._tasks: dict[ProbeSpec, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    def follow(self, probes: Iterable[ProbeSpec]) -> None:
        """Follow exactly these from now on; those that were followed before go on as they were."""
        wanted = set(probes)
        for probe in self._tasks.keys() - wanted:
            self._tasks.pop(probe).cancel()
        for probe in wanted - self._tasks.keys():
            name = f"probe {address.show(probe.host, probe.port)}"
            self._tasks[probe] = asyncio.create_task(self._watch(probe), name=name)
        keys = {key(probe) for probe in wanted}
        self.down = {one: why for one, why in self.down.items() if one in keys}

    def close(self) -> None:
        """Stop all checks."""
        self.follow(())

    async def _watch(self, probe: ProbeSpec) -> None:
        health = Health(probe.fall, probe.rise, up=key(probe) not in self.down)
        settled = False
        while True:
            async with self._slots:
                why = await check(probe)
            flip = health.seen(not why)
            if flip is not None:
                self._flipped(probe, up=flip, why=why)
            settled = settled or flip is not None or health.up == (not why)
            interval = probe.interval if settled else min(probe.interval, _QUICK)
            await asyncio.sleep(interval * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - spreading checks, no secret

    def _flipped(self, probe: ProbeSpec, *, up: bool, why: str) -> None:
        where = address.show(probe.host, probe.port)
        if up:
            self.down.pop(key(probe), None)
            self._log.info("endpoint up", endpoint=where, name=probe.name)
        else:
            self.down[key(probe)] = why
            self._log.warn("endpoint down", endpoint=where, name=probe.name, reason=why)
        self._on_flip()


async def check(probe: ProbeSpec) -> str:
    """Look at an endpoint once; give what is wrong with it, or nothing."""
    try:
        async with asyncio.timeout(probe.timeout):
            return await _look(probe)
    except TimeoutError:
        return f"no answer within {probe.timeout:g} s"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)


async def _look(probe: ProbeSpec) -> str:
    source = (probe.source, 0) if probe.source else None
    port = probe.check_port or probe.port
    reader, writer = await asyncio.open_connection(
        probe.host, port, local_addr=source, limit=_STATUS_BYTES
    )
    try:
        if probe.tls is not None:
            return await _greet(probe.tls, writer)
        return await _ask(probe, reader, writer) if probe.path else ""
    finally:
        writer.close()
        if probe.tls is None:  # else its goodbye would be waited for
            with contextlib.suppress(OSError):  # its last answer is all that matters
                await writer.wait_closed()


async def _greet(tls: TlsSpec, writer: asyncio.StreamWriter) -> str:
    """Shake hands as a request of the Route would."""
    import ssl  # most daemons check nothing that speaks TLS

    from podway_proxy.tls.handshake import words
    from podway_proxy.tls.names import mismatch

    try:
        await writer.start_tls(_context(tls.ca), server_hostname=tls.server_name)
    except (ssl.SSLError, ConnectionError, ValueError) as error:
        return f"TLS: {words(error)}"
    why = mismatch(writer.get_extra_info("peercert") or {}, tls.names)
    return why and f"TLS: {why}"


@functools.lru_cache(maxsize=100)
def _context(ca: str) -> ssl.SSLContext:
    """Give the context of the Routes that name this CA: 1.6 ms to make, and few are needed."""
    from podway_proxy.tls.contexts import client_context

    return client_context(ca)


async def _ask(probe: ProbeSpec, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    host = address.show(probe.host, probe.check_port or probe.port)
    writer.write(
        f"GET {probe.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: podway-health\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n".encode("latin-1")
    )
    try:
        line = await reader.readline()
    except ValueError:
        return f"GET {probe.path}: no HTTP status line"
    return _verdict(line, probe.path)


def _verdict(line: bytes, path: str) -> str:
    """Judge a status line: only 200 is well."""
    words = line.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
        return f"GET {path}: no HTTP status line"
    code = words[1].decode("ascii", "replace")
    return "" if code == "200" else f"GET {path}: status {code}"
