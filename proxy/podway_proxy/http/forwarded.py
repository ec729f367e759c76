"""What a pod is told about the client: X-Forwarded-For, -Host, -Port, -Proto and Forwarded.

Policies as the annotation `haproxy.router.openshift.io/set-forwarded-headers` has them
(reference/route-api.md section 2). A field of ours is a line of its own, behind the client's.
"""

from __future__ import annotations

from functools import lru_cache

from podway_proxy.http.request import Request
from podway_proxy.values import Arrival

POLICIES = ("append", "replace", "if-none", "never")

NAMES = (
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-port",
    b"x-forwarded-proto",
    b"forwarded",
)
_SET = frozenset(NAMES)
_NONE: frozenset[bytes] = frozenset()


_CACHED = 4096
"""Sets of lines remembered: (client, port, host) come again with each connection of a client."""


@lru_cache(_CACHED)
def field_lines(host_of_client: str, port: int, authority: bytes, proto: str) -> tuple[bytes, ...]:
    """Give the five field lines in the order of `NAMES`, each with its CRLF.

    `port` is the one that the client connected to; `authority` is Host as received; `proto` is
    `http` or `https`.
    """
    client = host_of_client.encode()
    node = b'"[%s]"' % client if b":" in client else client
    host = authority if b":" not in authority else b'"%s"' % authority
    scheme = proto.encode()
    return (
        b"X-Forwarded-For: %s\r\n" % client,
        b"X-Forwarded-Host: %s\r\n" % authority,
        b"X-Forwarded-Port: %d\r\n" % port,
        b"X-Forwarded-Proto: %s\r\n" % scheme,
        b"Forwarded: for=%s;host=%s;proto=%s\r\n" % (node, host, scheme),
    )


@lru_cache(_CACHED)
def joined(host_of_client: str, port: int, authority: bytes, proto: str) -> bytes:
    """Give the same five as one."""
    return b"".join(field_lines(host_of_client, port, authority, proto))


@lru_cache(_CACHED)
def ending(host_of_client: str, port: int, authority: bytes, proto: str) -> bytes:
    """Give what a head that gets all five ends in: them and the empty line."""
    return joined(host_of_client, port, authority, proto) + b"\r\n"


def lines_for(
    request: Request, arrival: Arrival, policy: str, proto: str
) -> tuple[bytes, frozenset[bytes]]:
    """Give (the lines to add, the names of the client's to take out) under a policy."""
    if policy == "append":
        return joined(arrival.client[0], arrival.local[1], request.authority, proto), _NONE
    if policy == "never":
        return b"", _NONE
    lines = field_lines(arrival.client[0], arrival.local[1], request.authority, proto)
    if policy == "if-none":
        sent = {name for name, _ in request.notable}
        pairs = zip(NAMES, lines, strict=True)
        return b"".join(line for name, line in pairs if name not in sent), _NONE
    return b"".join(lines), _SET if policy == "replace" else _NONE
