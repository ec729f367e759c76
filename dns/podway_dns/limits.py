"""Deadlines and caps of podway-dns in one table, with where they come from. Seconds, bytes."""

from __future__ import annotations

from typing import Final

UDP_BATCH: Final = 256
"""Datagrams answered per turn before other sockets get theirs: about 5 ms."""
UDP_BUFFER: Final = 4 * 1024 * 1024
"""Receive buffer asked for, so that a burst waits instead of being lost; the kernel gives at most
net.core.rmem_max."""
UDP_LAST: Final = 1000
"""Batches of 64 answered before a socket is closed: more than its buffer holds."""
TCP_IDLE: Final = 10.0
"""Without a complete query (RFC 7766 section 6.2.3: of the order of seconds; Knot has 10)."""
TCP_CONNECTIONS: Final = 1000
"""Per daemon, shared out over the workers."""
TCP_PER_CLIENT: Final = 100
"""Connections of one address per worker."""
TCP_TAIL: Final = 262_144
"""Bytes of answers kept for a client that does not read; no query is read beyond that."""
TCP_QUERY: Final = 65_535
"""Longest message over a stream: its length has two bytes (RFC 1035 section 4.2.2)."""
TCP_BATCH: Final = 128
"""Pipelined queries of one connection answered per turn."""
TCP_TURNS: Final = 16
"""Rounds of reading, answering and sending of one connection before others get their turn."""
