"""A request head as every part of the engine sees it, whichever parser read it."""

from __future__ import annotations

from podway_proxy.http.authority import split_authority
from podway_proxy.http.refuse import Notable

NO_BODY = 0
CHUNKED = -1
"""`length` of a body whose end only its chunks tell (RFC 9112 section 7.1)."""
UNTIL_CLOSE = -2
"""`length` of an answer that ends when its connection does (RFC 9112 section 6.3, rule 8)."""

IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"))
"""Methods that may be sent twice (RFC 9110 section 9.2.2)."""

KEEP, CUT, REWRITE = 0, 1, 2

_PLAIN = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect"))
"""Notable fields that go to the endpoint as they came, if they come once."""

USUAL = (b"keep-alive", b"close")
"""Values of a Connection that names no other field."""


class Request:
    """One request head. Read-only after it is made."""

    __slots__ = (
        "expect_continue",
        "head",
        "host",
        "keep_alive",
        "length",
        "method",
        "modern",
        "named",
        "notable",
        "path",
        "rewrite",
        "target",
        "unique_id",
        "upgrade",
    )

    head: bytes
    """The head as it came, from the first byte to the empty line."""
    method: bytes
    target: bytes
    """What the endpoint is asked for: path and query, or `*`; never an absolute URI."""
    path: bytes
    """The target without its query, undecoded; `/` if empty. Matching and forwarding both use
    these bytes, so nothing can be matched as one path and served as another."""
    host: str
    """Lower-case, without port and trailing dot; empty for HTTP/1.0 without Host."""
    named: bytes
    """Host with its port, in lower case; empty for HTTP/1.0 without Host."""
    modern: bool
    """HTTP/1.1; else HTTP/1.0."""
    length: int
    """Bytes of body: `NO_BODY`, a number, or `CHUNKED`."""
    keep_alive: bool
    """The client wants to send more requests on this connection."""
    upgrade: bytes | None
    """The protocol the client wants to change to, lower-case (`websocket`)."""
    expect_continue: bool
    """The client waits for `100 Continue` before it sends the body."""
    notable: Notable
    """The fields that decide anything, in lower case."""
    unique_id: bytes
    """Set only where requests are given one; else there is no such attribute."""
    rewrite: int
    """What the head needs on its way: KEEP: only the forwarded fields put in; CUT: its one
    `Connection: close` or `keep-alive` line taken out, too; REWRITE and more: line by line."""

    def __init__(
        self, head: bytes, method: bytes, target: bytes, modern: bool, notable: Notable
    ) -> None:
        self.head = head
        self.method = method
        self.notable = notable
        self.modern = self.keep_alive = modern
        self.rewrite = KEEP if modern else REWRITE
        self.upgrade = None
        self.expect_continue = False
        self.length = NO_BODY
        self.host = ""
        self.named = b""
        for name, value in notable:
            if name == b"host":
                self._set_host(value.rstrip())
            else:
                self._set_field(name, value.rstrip())
        self._set_target(target)

    @property
    def version(self) -> tuple[int, int]:
        """(1, 0) or (1, 1)."""
        return (1, 1) if self.modern else (1, 0)

    @property
    def authority(self) -> bytes:
        """The Host value (or the URI's authority) in the case in which it was received."""
        if b"\nHost: " + self.named in self.head and self.named:
            return self.named  # there is but one Host, and it came in lower case
        lowered = self.head.lower()
        # Lowering keeps every offset.
        start = lowered.find(self.named, max(lowered.find(b"\nhost:"), 0))
        return self.head[start : start + len(self.named)]

    @property
    def idempotent(self) -> bool:
        """May be sent twice without doing more than once."""
        return self.method in IDEMPOTENT

    def _set_target(self, target: bytes) -> None:
        if target[:1] != b"/" and target != b"*":
            self.rewrite = REWRITE
            rest = target.partition(b"//")[2]
            authority = rest.partition(b"/")[0].partition(b"?")[0]
            self._set_host(authority.lower())
            target = rest[len(authority) :]
            if target[:1] != b"/":
                # `http://host?query`: an empty path is `/` (RFC 9110 section 4.2.3).
                target = b"/" + target
        self.target = target
        self.path = target.partition(b"?")[0]

    def _set_host(self, lowered: bytes) -> None:
        split = split_authority(lowered)
        if split is not None:
            self.host = split[0]
            self.named = lowered

    def _set_field(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            self.length = int(value)
            if sum(n == name for n, _ in self.notable) > 1:
                self.rewrite = REWRITE
            return
        if name == b"transfer-encoding":
            self.length = CHUNKED
        elif name == b"expect":
            self.expect_continue = self.modern and value == b"100-continue"
        elif name == b"connection" and value in USUAL:
            self._set_connection({value})
            self.rewrite += CUT
            return
        elif name == b"connection":
            self._set_connection({option.strip() for option in value.split(b",")})
        if name not in _PLAIN:
            self.rewrite += REWRITE

    def _set_connection(self, options: set[bytes]) -> None:
        if b"close" in options:
            self.keep_alive = False
        elif b"keep-alive" in options and not self.modern:
            self.keep_alive = all(
                b"close" not in value for name, value in self.notable if name == b"connection"
            )
        if b"upgrade" in options:
            self._set_upgrade()

    def _set_upgrade(self) -> None:
        """Take an upgrade that may become a tunnel.

        Never h2c: requests inside it would pass by the routing. Never with a body: an upgrade may
        always be ignored (RFC 9110 section 7.8), and what follows the body would be ambiguous.
        """
        fields = dict(self.notable)
        wanted = [value.rstrip() for name, value in self.notable if name == b"upgrade"]
        body = b"content-length" in fields or b"transfer-encoding" in fields
        if self.modern and not body and len(wanted) == 1 and _may_tunnel(wanted[0]):
            self.upgrade = wanted[0]


class Common(Request):
    """A request of the common kind: HTTP/1.1, no body, no upgrade; its maker has proven it so."""

    __slots__ = ()

    modern = True
    length = NO_BODY
    upgrade = None
    expect_continue = False

    def __init__(
        self,
        head: bytes,
        method: bytes,
        target: bytes,
        path: bytes,
        host: str,
        named: bytes,
        notable: Notable,
        keep_alive: bool,
        rewrite: int,
    ) -> None:
        self.head = head
        self.method = method
        self.target = target
        self.path = path
        self.host = host
        self.named = named
        self.notable = notable
        self.keep_alive = keep_alive
        self.rewrite = rewrite


def _may_tunnel(protocol: bytes) -> bool:
    return bool(protocol) and b"," not in protocol and not protocol.startswith(b"h2")
