"""Where the loader makes the certificates that nobody gives, and keeps an eye on the date."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from podway_cluster import Snapshot
from podway_proxy.process.daemon import CannotStart
from podway_router.certificates import WARN_DAYS, Certificate, pair
from podway_router.material import Material

if TYPE_CHECKING:
    from podway_router.authority import Authority

DAY = 86_400.0
NO_DOMAIN = "podway.invalid"
"""For a controller without a domain; a name that never resolves (RFC 6761 section 6.4)."""


class Workshop:
    """The local CA, loaded or made when it is first needed, and what it has signed."""

    def __init__(self, directory: str) -> None:
        """`directory` keeps the CA; empty: it ends with the process."""
        self._directory = directory
        self._authority: Authority | None = None
        self._made: dict[str, Certificate] = {}

    def material(self) -> Material:
        """Give what compiling needs. CannotStart: the CA can't be had."""
        return self.dated()._replace(wildcard=self._wildcard, ca=self._ca().pem)

    def dated(self) -> Material:
        """Give the time only: for a look that makes nothing."""
        return Material(datetime.datetime.now(datetime.UTC))

    def _ca(self) -> Authority:
        if self._authority is None:
            from podway_router.authority import authority, passing

            try:
                kept = Path(self._directory) if self._directory else None
                self._authority = authority(kept) if kept is not None else passing()
            except (OSError, ValueError) as error:
                raise CannotStart(
                    f"no local CA can be had in {self._directory} (--ca-dir, --state-dir): {error}"
                ) from None
        return self._authority

    def _wildcard(self, domain: str) -> Certificate:
        """Give a certificate for the domain, made anew before it is due."""
        domain = domain or NO_DOMAIN
        found = self._made.get(domain)
        soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=WARN_DAYS + 1)
        if found is None or found.expires <= soon:
            made = pair(*self._ca().leaf([f"*.{domain}", domain]))
            if isinstance(made, str):
                raise CannotStart(f"the local CA's certificate for {domain} {made}")
            found = self._made[domain] = made
        return found


async def daily(snapshots: AsyncIterator[Snapshot]) -> AsyncIterator[Snapshot]:
    """Give the snapshots, and the last one again each day: certificates grow old by themselves."""
    last: Snapshot | None = None
    coming = asyncio.ensure_future(anext(snapshots))
    try:
        while True:
            await asyncio.wait({coming}, timeout=DAY)
            if coming.done():
                try:
                    last = coming.result()
                except StopAsyncIteration:
                    return
                coming = asyncio.ensure_future(anext(snapshots))
            if last is not None:
                yield last
    finally:
        coming.cancel()
