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


def port_map(text: str) -> list[tuple[int, int]]:
    """Parse `80=8080,443=8443`: the Service's port and the one to listen on.

    Raises ValueError saying which part is wrong and what it should look like.
    """
    mapped: dict[int, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        theirs, equals, ours = part.partition("=")
        if not equals or not (_is_port(theirs) and _is_port(ours)):
            raise ValueError(f"{part!r} is not PORT=PORT with ports 1 to 65535, as in 80=8080")
        if int(theirs) in mapped:
            raise ValueError(f"port {theirs} is mapped twice")
        mapped[int(theirs)] = int(ours)
    return list(mapped.items())


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65535
