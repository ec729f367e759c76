"""The values that travel with a connection: who came, whereto it goes, or why it does not.

Immutable and free of I/O. A front end makes an `Arrival`, a daemon's table turns it into a
`Forward` or a `Refuse`, and the plane carries that out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import socket

    from podway_proxy.gate import Gate

Address = tuple[str, int]
"""(numeric IP address without zone, port)."""
NO_TLVS: Final[Mapping[int, bytes]] = MappingProxyType({})


class Endpoint(NamedTuple):
    """One address that serves: what EndpointSlice calls an endpoint, with one of its ports."""

    host: str
    port: int
    name: str = ""
    """What people call it: the Pod's or the node's name; empty when the objects name none."""

    @property
    def address(self) -> Address:
        """Where to connect to."""
        return (self.host, self.port)

    def __str__(self) -> str:
        """Give `host:port`, with brackets around an IPv6 address, and the name where known."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" + (f" ({self.name})" if self.name else "")


class Secured(NamedTuple):
    """What TLS says about a client's connection that was decrypted here."""

    server_name: str | None
    """The name in the hello (SNI), as the sniffer gives it."""
    protocol: str = ""
    """`TLSv1.3`."""
    certificate: bytes = b""
    """The client's certificate in DER; empty when none was asked for or given."""
    subject: str = ""
    """Its subject as `/C=US/O=Example/CN=name`; empty without a certificate."""
    cipher: str = ""
    """OpenSSL's name of the cipher in use."""


class Arrival(NamedTuple):
    """A connection as it came in, after its PROXY header where one is taken."""

    client: Address
    """The client itself: from the PROXY header if one was taken, else the TCP peer."""
    local: Address
    """The address that the client connected to: from the PROXY header, else the socket's."""
    peer: Address
    """The TCP peer: the client, or the load balancer in front of us."""
    tlvs: Mapping[int, bytes] = NO_TLVS
    """PROXY v2 type-length-value fields, by type."""
    tls: Secured | None = None
    """Set where TLS ends here; None for plain TCP and for what is handed through."""


class Forward(NamedTuple):
    """Carry this connection to the first of `candidates` that accepts it.

    One value may serve any number of connections: with `choose` and `announce` it need not be
    made anew for each.
    """

    candidates: Iterable[Endpoint] = ()
    """In the order in which to try them; consumed once, lazily. Not looked at with `choose`."""
    label: str = ""
    """What chose it, for the log: `route shop/web`, `service openshift-ingress/router-apps`."""
    prefix: bytes = b""
    """Sent to the endpoint ahead of the client's first byte: a PROXY header."""
    greeting: bytes = b""
    """Sent after the prefix when the endpoint must answer before the client's bytes may follow
    (PostgreSQL's SSLRequest)."""
    greeting_answer: bytes = b""
    """The exact answer to `greeting`; it is swallowed. Anything else fails the candidate."""
    idle_timeout: float = 3600.0
    """Seconds without a byte in either direction (tunnelTimeout, 1 h)."""
    connect_timeout: float = 5.0
    """Seconds for all candidates together (connectTimeout)."""
    on_open: Callable[[Endpoint], None] | None = None
    """Called when an endpoint is connected to (leastconn counts)."""
    on_close: Callable[[Endpoint], None] | None = None
    """Called once when that connection has ended, however it ended."""
    on_failure: Callable[[Endpoint, str], None] | None = None
    """Called for every candidate that could not be reached, with the reason."""
    gate: Gate | None = None
    """Holds this connection back until an endpoint has room."""
    choose: Callable[[str], Iterator[Endpoint]] | None = None
    """Gives the candidates for a client's address."""
    announce: Callable[[Arrival], bytes] | None = None
    """Gives the prefix for an arrival."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """End this connection, saying why: to the peer in its own protocol, to the log in words."""

    step: str
    """The step that failed, a short fixed word for metrics and log: `no-route`, `no-sni`,
    `no-service`, `no-endpoint`, `connect`, `untrusted-proxy`, …"""
    reason: str
    """A sentence that names what was looked for and not found."""
    answer: bytes = b""
    """What the peer is sent before the connection is closed: a TLS alert, an HTTP answer."""


@dataclass(frozen=True, slots=True)
class Handover:
    """Let another front end go on with this connection, from the client's first unread byte."""

    take: Callable[[socket.socket, Arrival], None]


Decision = Forward | Refuse | Handover
