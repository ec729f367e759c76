"""The numbers of a place (`podway_proxy.counters`): what each of them counts."""

from __future__ import annotations

from typing import Final

CUT: Final = 0
"""Requests whose client did not get a whole answer; 1 to 5: requests by the class of their status
(what `Target.counts` means)."""
SERVER_ERROR: Final = 5
"""Among those: 5xx."""
RECEIVED: Final = 6
"""Bytes from clients."""
SENT: Final = 7
"""Bytes to clients."""
CONNECT_FAILURES: Final = 8
"""Connections to endpoints that failed."""
CONNECTIONS: Final = 9
"""Connections that were handed through."""
RESPONSE_FAILURES: Final = 10
"""Requests at which the endpoint failed after it was connected to."""
RESPONSE_TIME: Final = 11
"""Nanoseconds from the connection to the answer's head, added up over RESPONSES."""
RESPONSES: Final = 12
CONNECT_TIME: Final = 13
"""Nanoseconds of connecting, added up over NEW."""
NEW: Final = 14
"""Requests that went over a new connection."""

ROUTES: Final = "route/"
"""And the rest of a Route's key: what its place is named."""
FRONTENDS: Final = "frontend/"
SERVERS: Final = "server/"
"""And the Route's key and `host:port`."""
PLACES: Final = "places"
"""Key of the entry that gives the places by name."""
CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")
