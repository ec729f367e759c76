"""What the routers make of the Routes: the routers' own compilation, over all shards. Pure."""

from __future__ import annotations

import datetime

from podway_cluster import Snapshot
from podway_cluster.model import IngressController, Meta
from podway_router.compile import Compilation, RouteStatus, compile_snapshot
from podway_router.material import Material
from podway_router.options import Options
from podway_router.shard import HOME, choose

STAND_IN = IngressController(Meta("IngressController", HOME, "default"))
"""Takes every Route, for objects that come without a controller: hosts are still checked."""
_ANYBODY = ("127.0.0.0/8",)


def with_controller(snapshot: Snapshot) -> Snapshot:
    """Give the snapshot, with the stand-in where it has no IngressController."""
    if snapshot.ingress_controllers:
        return snapshot
    return snapshot._replace(ingress_controllers={STAND_IN.meta.key: STAND_IN})


def decide(snapshot: Snapshot, now: datetime.datetime | None = None) -> dict[str, Compilation]:
    """Compile each IngressController's shard, as its routers do; by the controller's name.

    With `now` (a time with its zone) certificates that expire soon are problems.
    """
    snapshot = with_controller(snapshot)
    return {
        name: compile_snapshot(snapshot, _options(controller), material=Material(now))
        for name, controller in choose(snapshot.ingress_controllers.values()).items()
    }


def statuses(snapshot: Snapshot) -> list[RouteStatus]:
    """Give the Routes of all shards in the order in which they were read."""
    found = [status for one in decide(snapshot).values() for status in one.routes]
    return sorted(found, key=lambda status: status.route.meta.order)


def _options(controller: IngressController) -> Options:
    proxy = controller.endpoint_publishing_strategy.protocol == "PROXY"
    trusted = _ANYBODY if proxy else ()
    return Options((controller.meta.name,), trusted=trusted, allow_loopback=True)
