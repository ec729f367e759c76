"""Addresses as people write them: `127.0.0.1:8080`, `[::1]:8080`, `:8080`."""

from __future__ import annotations

import socket

HIGHEST_PORT = 65_535


def parse(text: str) -> tuple[str, int]:
    """Read `HOST:PORT`; the host is a numeric address, empty means every IPv4 address.

    Raises ValueError with a message that says what was expected.
    """
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        raise ValueError(f"{text!r}: expected ADDRESS:PORT, as in 127.0.0.1:8080 or [::1]:8080")
    return (parse_host(host) if host else "0.0.0.0", parse_port(port, text))  # noqa: S104 - the documented meaning


def parse_host(text: str) -> str:
    """Read a numeric IPv4 or IPv6 address, with or without brackets; give its usual form."""
    bare = text.strip().removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    try:
        return socket.inet_ntop(family, socket.inet_pton(family, bare))
    except OSError:
        raise ValueError(f"{text!r}: expected a numeric address, as 127.0.0.1 or ::1") from None


def parse_port(text: str, whole: str = "") -> int:
    """Read a port number, 0 to 65535 (0: any free one)."""
    if not (text.isascii() and text.isdigit()) or int(text) > HIGHEST_PORT:
        raise ValueError(f"{whole or text!r}: expected a port number from 0 to {HIGHEST_PORT}")
    return int(text)


def show(host: str, port: int) -> str:
    """Write an address the way `parse` reads it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
