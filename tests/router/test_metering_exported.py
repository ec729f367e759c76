"""Numbers of places under both kinds of names."""

from __future__ import annotations

from podway_proxy.counters import Counters
from podway_router.metering.columns import (
    CONNECT_FAILURES,
    CONNECT_TIME,
    NEW,
    RECEIVED,
    RESPONSE_TIME,
    RESPONSES,
    SENT,
)
from podway_router.metering.exported import OpenShift, own
from podway_router.metering.places import Places

KEY = "route/apps/shop/web"
SERVER = "pod:web-1:web:http:10.0.0.1:80"
ENTRIES = {
    KEY: {
        "termination": "edge",
        "endpoints": [["10.0.0.1", 80, "web-1", 1], ["10.0.0.2", 80, "", 1]],
        "servers": {"10.0.0.1:80": SERVER, "10.0.0.2:80": "ept:web:http:10.0.0.2:80"},
    }
}


def counted() -> tuple[Counters, Places]:
    counters = Counters()
    places = Places(counters, 10, servers=True)
    places.settle(ENTRIES)
    for name in (KEY, "server/apps/shop/web/10.0.0.1:80", "frontend/fe_sni"):
        row = counters.place(places.taken[name])
        row[2], row[5], row[0] = 8, 1, 1
        row[RECEIVED], row[SENT], row[CONNECT_FAILURES] = 100, 200, 3
        row[NEW], row[CONNECT_TIME] = 4, 8_000_000
        row[RESPONSES], row[RESPONSE_TIME] = 8, 24_000_000
    return counters, places


def test_own_names() -> None:
    counters, places = counted()
    counters.place(0)[4] = 7
    said = {one.name: one.value for one in own(counters, places.taken, full=True)}
    labels = "controller=apps,namespace=shop,route=web"
    assert said[f"route_requests_total:{labels},code=2xx"] == 8
    assert said[f"route_requests_total:{labels},code=aborted"] == 1
    assert said[f"route_connect_failures_total:{labels}"] == 3
    assert said[f"route_bytes_total:{labels},direction=sent"] == 200
    other = "controller=other,namespace=other,route=other"
    assert said[f"route_requests_total:{other},code=4xx"] == 7
    brief = {one.name for one in own(counters, places.taken, full=False)}
    assert not any("bytes" in name for name in brief)


def test_openshifts_names() -> None:
    counters, places = counted()
    down = ["down/10.0.0.1:80"]
    made = OpenShift(counters, places.taken, ENTRIES, down)
    said = {one.name: one.value for one in made.gauges((2.0, 0.5))}
    backend = "backend=https-edge,namespace=shop,route=web"
    assert said[f"haproxy_backend_http_responses_total:code=2xx,{backend}"] == 8
    assert said[f"haproxy_backend_http_responses_total:code=other,{backend}"] == 1
    assert said[f"haproxy_backend_connections_total:{backend}"] == 10
    assert said[f"haproxy_backend_connections_reused_total:{backend}"] == 6
    assert said[f"haproxy_backend_connection_errors_total:{backend}"] == 3
    assert said[f"haproxy_backend_http_average_connect_latency_milliseconds:{backend}"] == 2
    assert said[f"haproxy_backend_http_average_response_latency_milliseconds:{backend}"] == 3
    assert said[f"haproxy_backend_up:{backend}"] == 1
    one = "server=10.0.0.1:80,namespace=shop,route=web,pod=web-1,service=web"
    two = "server=10.0.0.2:80,namespace=shop,route=web,pod=,service=web"
    assert (said[f"haproxy_server_up:{one}"], said[f"haproxy_server_up:{two}"]) == (0, 1)
    assert said[f"haproxy_server_bytes_in_total:{one}"] == 100
    assert said["haproxy_frontend_bytes_out_total:frontend=fe_sni"] == 200
    assert said["template_router_reload_seconds_sum"] == 0.5
