"""The load balancer's part of the command line, as a value. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

PROXY_V2 = "v2"


class Options(NamedTuple):
    """What the loader and the workers go by."""

    name: str
    """This host of the pair."""
    binds: tuple[str, ...] = ()
    source: str = ""
    """The address to connect from; empty: the kernel's choice."""
    ports: tuple[tuple[int, int], ...] = ()
    """(a Service's port, the one to listen on)."""
    proxy_protocol: str = PROXY_V2
    """`v2` or `none`."""
    unique_id: bool = False
    allow_loopback: bool = False


def read(values: Mapping[str, Any]) -> Options:
    """Build them from the parsed command line, also when JSON carried it."""
    return Options(
        name=values["name"],
        binds=tuple(dict.fromkeys(values["bind"])),
        source=values["source"] or "",
        ports=tuple((theirs, ours) for theirs, ours in values["port_map"] or ()),
        proxy_protocol=values["proxy_protocol"],
        unique_id=values["unique_id"],
        allow_loopback=values["allow_loopback_endpoints"],
    )
