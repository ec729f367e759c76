"""Which hosts come nearest to one that no Route has: for the operator's log. Pure.

Costs a few look-ups and a comparison with a bounded number of names, since anybody can ask for
names that do not exist.
"""

from __future__ import annotations

from collections.abc import Iterable

from podway_router.hosts import parent

_SIBLINGS = 50
"""Most hosts of one domain that are compared letter by letter."""
_NAMED = 3
"""Most hosts that a message names."""


class Nearest:
    """The hosts of a set of tables, by first label and by parent domain."""

    __slots__ = ("_by_label", "_by_parent", "_wild")

    def __init__(self, hosts: Iterable[str]) -> None:
        """Take the hosts that have Routes, wildcards as `*.domain`."""
        self._by_label: dict[str, list[str]] = {}
        self._by_parent: dict[str, list[str]] = {}
        self._wild: set[str] = set()
        for host in hosts:
            if host.startswith("*."):
                self._wild.add(host[2:])
                continue
            label, _, domain = host.partition(".")
            _put(self._by_label, label, host, _NAMED)
            _put(self._by_parent, domain, label, _SIBLINGS)

    def __call__(self, host: str) -> str:
        """Say what is nearest to `host`; empty when nothing comes near."""
        if host in self._wild:
            return f"the wildcard *.{host} does not cover {host} itself"
        above = parent(parent(host))
        if above in self._wild:
            return f"the wildcard *.{above} covers one label only"
        names = self._names(host)
        return f"nearest: {', '.join(names)}" if names else ""

    def _names(self, host: str) -> list[str]:
        from difflib import get_close_matches  # workers start without it

        label, _, domain = host.partition(".")
        siblings = self._by_parent.get(domain, ())
        close = [f"{one}.{domain}" for one in get_close_matches(label[:63], siblings, n=_NAMED)]
        return (close + self._by_label.get(label, []))[:_NAMED]


def _put(index: dict[str, list[str]], key: str, name: str, most: int) -> None:
    names = index.setdefault(key, [])
    if len(names) < most:
        names.append(name)
