"""The values that a trace is made of: what is asked for, and what happened at a step."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """A URL, taken apart."""

    scheme: str
    host: str
    """Lower-case, without a trailing dot."""
    port: int | None
    """None: the lab's own port for the scheme."""
    path: str
    """With its query; `/` where the URL has none."""

    @property
    def secure(self) -> bool:
        """Tell whether TLS is spoken."""
        return self.scheme == "https"

    def authority(self, port: int) -> str:
        """Give the Host header's value for a connection to `port`."""
        return self.host if port == _PORTS[self.scheme] else f"{self.host}:{port}"


class Step(NamedTuple):
    """What happened at one step of the way."""

    name: str
    """DNS, load balancer, router, Route, Service, pod."""
    ok: bool
    text: str
    details: tuple[str, ...] = ()
    advice: str = ""
    """What to do about it, for a step that failed."""


def read_target(url: str) -> Target:
    """Take a URL apart; a bare host counts as http. Raises ValueError with a message."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in _PORTS:
        raise ValueError(f"{url!r}: expected http://… or https://…, not {parts.scheme}://")
    if not parts.hostname or not parts.hostname.isascii():
        raise ValueError(f"{url!r}: no host name in ASCII; write it as xn--…")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or not path.isprintable() or " " in path:
        raise ValueError(f"{url!r}: the path has characters that must be written as %XX")
    return Target(parts.scheme, parts.hostname.removesuffix("."), parts.port, path)


def read_address(text: str, port: int) -> tuple[str, int]:
    """Read `ADDR` or `ADDR:PORT`. Raises ValueError with a message."""
    import ipaddress

    host, colon, number = text.rpartition(":")
    bracketed = text.startswith("[")
    if not colon or (":" in host and not bracketed) or text.endswith("]"):
        host, number = text, ""
    if number and not (number.isascii() and number.isdigit() and 0 < int(number[:6]) < 65_536):
        raise ValueError(f"{text!r}: {number!r} is no port")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise ValueError(f"{text!r}: expected an IP address, and perhaps a port after it") from None
    return str(address), int(number) if number else port
