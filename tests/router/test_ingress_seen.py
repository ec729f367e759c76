from __future__ import annotations

from podway_cluster.model import Meta, Service
from podway_cluster.snapshot import build
from podway_router.ingress_seen import Seen


def test_it_holds_while_all_that_was_looked_at_is_the_same() -> None:
    web, api = Service(Meta("Service", "n", "web")), Service(Meta("Service", "n", "api"))
    seen = Seen(build([web]))
    assert seen.get("services", ("n", "web")) is web
    assert seen.get("secrets", ("n", "own")) is None
    seen.close()
    assert seen.holds(build([web, api]), ())
    assert not seen.holds(build([web._replace(type="NodePort")]), ())
    assert not seen.holds(build([api]), ())
