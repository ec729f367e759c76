"""Which addresses and ports a Service's listeners get. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence


def listen_on(own: Sequence[str], binds: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    """Give the addresses of one Service's listeners.

    `own`: the Service's addresses; `binds`: the `--bind` options; `known`: the addresses of all
    Services. Without binds, the own ones. An address that no Service has stands in for the own.
    """
    if not binds:
        return tuple(dict.fromkeys(own))
    theirs = set(known)
    chosen = [address for address in binds if address in own or address not in theirs]
    return tuple(dict.fromkeys(chosen))


def listener_key(host: str, port: int) -> str:
    """Name a listener, stable over reloads."""
    return f"tcp [{host}]:{port}" if ":" in host else f"tcp {host}:{port}"


def cidrs(ranges: Iterable[str]) -> list[str]:
    """Give ranges that parse in their usual form, as `podway_proxy.networks` takes them."""
    return [str(ipaddress.ip_network(one.strip(), strict=False)) for one in ranges]


def bad_ranges(ranges: Iterable[str]) -> Mapping[str, str]:
    """Give the ranges that do not parse, with why."""
    wrong = {}
    for one in ranges:
        try:
            ipaddress.ip_network(one.strip(), strict=False)
        except ValueError as error:
            wrong[one] = str(error)
    return wrong
