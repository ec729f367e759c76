from __future__ import annotations

import json

from podway_router.entry import (
    RouteEntry,
    ShardEntry,
    listener_key,
    listener_of_key,
    read_route,
    read_shard,
    route_key,
    route_of_key,
)


def test_entries_survive_json() -> None:
    route = RouteEntry("h.test", "/", "", "", [("127.0.0.1", 80, "pod", 3)], "random")
    carried = read_route(json.loads(json.dumps(route._asdict())))
    assert carried._replace(endpoints=[tuple(one) for one in carried.endpoints]) == route
    shard = ShardEntry({"head_bytes": 9000}, "never")
    assert read_shard(json.loads(json.dumps(shard._asdict()))) == shard


def test_keys_are_read_back() -> None:
    assert route_of_key(route_key("apps", "shop", "web")) == ("apps", "shop/web")
    for host in ("127.0.0.1", "::1"):
        assert listener_of_key(listener_key("https", "apps", host, 443)) == ("https", "apps")
