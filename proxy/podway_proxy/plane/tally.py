"""What a plane counts, in the worker's row of the daemon's shared counters."""

from __future__ import annotations

from podway_proxy.counters import Counters


class Tally:
    """The row and the slots of the plane's own counters: `tally.row[tally.accepted] += 1`."""

    __slots__ = (
        "accepted",
        "connect_failures",
        "connected",
        "exhausted",
        "relayed",
        "row",
        "spliced",
    )

    def __init__(self, counters: Counters) -> None:
        self.row = counters.row
        self.accepted = counters.slot("plane_accepted_total")
        """Connections taken from listeners."""
        self.exhausted = counters.slot("plane_exhausted_total")
        """Times that a listener paused for want of descriptors or memory."""
        self.connected = counters.slot("plane_connected_total")
        """Connections made to endpoints."""
        self.connect_failures = counters.slot("plane_connect_failures_total")
        """Attempts to connect that failed."""
        self.relayed = counters.slot("plane_relayed_total")
        """Relays that have ended."""
        self.spliced = counters.slot("plane_spliced_bytes_total")
        """Bytes that went through pipes, both directions."""
