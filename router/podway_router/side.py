"""What both front ends of a controller are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from podway_router.entry import ShardEntry

if TYPE_CHECKING:
    from podway_proxy.balance.load import Load
    from podway_proxy.counters import Counters
    from podway_proxy.log import Log
    from podway_proxy.plane.plane import Plane
    from podway_proxy.tls.contexts import Contexts
    from podway_proxy.values import Address
    from podway_router.account import Account
    from podway_router.choice import Choice
    from podway_router.guard import Guard
    from podway_router.metering.meter import Meter
    from podway_router.options import Options
    from podway_router.ways import Map
    from podway_router.wires import Wires


class Setting(NamedTuple):
    """One controller in one worker."""

    controller: str
    plane: Plane
    log: Log
    counters: Counters
    options: Options
    load: Load
    account: Account
    current: Callable[[], Map]
    """Gives the map in force at the moment."""
    takes_proxy: Callable[[str], bool] | None
    shard: ShardEntry
    contexts: Contexts
    wires: Wires
    choice: Choice
    guard: Guard
    meter: Meter
    local: Address
    """Of the listening socket; the host is empty when it is bound to all of the node's."""
