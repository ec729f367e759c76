"""The forwarding core: the way of a connection, from a listener to an endpoint.

The public names are loaded when they are first used: the master imports this package too, and
must not import the plane with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podway_proxy.limits import Limits
    from podway_proxy.plane.dial import Dial
    from podway_proxy.plane.flow import Flow, Outcome
    from podway_proxy.plane.front import TcpFront
    from podway_proxy.plane.listener import Listener
    from podway_proxy.plane.plane import Plane
    from podway_proxy.plane.relay import Ended, Relay
    from podway_proxy.plane.tunnel import Closed
    from podway_proxy.values import Arrival, Endpoint, Forward, Refuse
    from podway_proxy.verdict import Found, NeedMore, Reject

__all__ = [
    "Arrival",
    "Closed",
    "Dial",
    "Ended",
    "Endpoint",
    "Flow",
    "Forward",
    "Found",
    "Limits",
    "Listener",
    "NeedMore",
    "Outcome",
    "Plane",
    "Refuse",
    "Reject",
    "Relay",
    "TcpFront",
]

_HOMES = {
    "Arrival": "podway_proxy.values",
    "Closed": "podway_proxy.plane.tunnel",
    "Dial": "podway_proxy.plane.dial",
    "Ended": "podway_proxy.plane.relay",
    "Endpoint": "podway_proxy.values",
    "Flow": "podway_proxy.plane.flow",
    "Forward": "podway_proxy.values",
    "Found": "podway_proxy.verdict",
    "Limits": "podway_proxy.limits",
    "Listener": "podway_proxy.plane.listener",
    "NeedMore": "podway_proxy.verdict",
    "Outcome": "podway_proxy.plane.flow",
    "Plane": "podway_proxy.plane.plane",
    "Refuse": "podway_proxy.values",
    "Reject": "podway_proxy.verdict",
    "Relay": "podway_proxy.plane.relay",
    "TcpFront": "podway_proxy.plane.front",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module when it is first asked for (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value
