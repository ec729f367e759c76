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
    written,
)


def test_entries_survive_json() -> None:
    route = RouteEntry("h.test", "/", "", "", [("127.0.0.1", 80, "pod", 3)], "random")
    carried = read_route(json.loads(json.dumps(written(route))))
    assert carried._replace(endpoints=[tuple(one) for one in carried.endpoints]) == route
    shard = ShardEntry({"head_bytes": 9000}, "never")
    assert read_shard(json.loads(json.dumps(written(shard)))) == shard


def test_only_what_differs_from_its_default_is_written() -> None:
    route = RouteEntry("h.test", "/", "", "", [], "random", server_timeout=5.0)
    assert list(written(route)) == [
        "host", "path", "termination", "insecure", "endpoints", "policy", "server_timeout",
    ]  # fmt: skip


def test_keys_are_read_back() -> None:
    assert route_of_key(route_key("apps", "shop", "web")) == ("apps", "shop/web")
    for host in ("127.0.0.1", "::1"):
        assert listener_of_key(listener_key("https", "apps", host, 443)) == ("https", "apps")
