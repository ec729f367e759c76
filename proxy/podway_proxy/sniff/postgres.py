"""PostgreSQL's way of asking for encryption on its ordinary port, before any TLS.

PostgreSQL manual, "Message Formats": SSLRequest and GSSENCRequest are 8 bytes each: the length 8,
then a code. The server answers one letter, and after `S` the client begins TLS.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from podway_proxy.verdict import Found, NeedMore, Reject, Verdict

SSL_REQUEST: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""Length 8, code 80877103 (1234 in the upper half, 5679 in the lower)."""
GSSENC_REQUEST: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x30"
"""Length 8, code 80877104."""


class Preamble(NamedTuple):
    """A request for encryption, and what the client must be answered before it goes on."""

    answer: bytes
    """`S`: TLS follows. `N`: refused; the client may ask for the other kind, or begin in clear."""

    @property
    def tls_follows(self) -> bool:
        """Whether the client's next bytes, after the answer, are a ClientHello."""
        return self.answer == b"S"


_SIZE: Final = len(SSL_REQUEST)
_NO_PREAMBLE = Reject("no PostgreSQL request for encryption")
_FOUND: Final = {
    SSL_REQUEST: Found(Preamble(b"S"), _SIZE),
    GSSENC_REQUEST: Found(Preamble(b"N"), _SIZE),
}


def sniff_preamble(data: bytes) -> Verdict[Preamble]:
    """Look for a request for encryption at the start of `data`; reject at the first other byte.

    A ClientHello is told apart by its first byte. A client asks for each kind once at most, so a
    caller looks for at most two preambles. `Found.consumed` is 8.
    """
    start = data[:_SIZE]
    found = _FOUND.get(start)
    if found is not None:
        return found
    if len(start) < _SIZE and (SSL_REQUEST.startswith(start) or GSSENC_REQUEST.startswith(start)):
        return NeedMore(_SIZE - len(start))
    return _NO_PREAMBLE
