from __future__ import annotations

import pytest

from podway_cluster.model import IngressController, LabelSelector, Meta, Route, TuningOptions
from podway_cluster.model.route import RouteBackend
from podway_proxy.limits import DEFAULT, Limits
from podway_router.shard import choose, excluded, limits, overlooked


def controller(name: str = "apps", namespace: str = "openshift-ingress-operator", **fields: object):
    return IngressController(Meta("IngressController", namespace, name), **fields)


def route(**labels: str) -> Route:
    return Route(Meta("Route", "shop", "web", labels=labels), RouteBackend("web"))


def test_of_two_of_one_name_the_operators_namespace_counts() -> None:
    ours, theirs = controller(), controller(namespace="somewhere")
    assert choose([ours, theirs]) == choose([theirs, ours]) == {"apps": ours}


def test_selectors() -> None:
    ext = LabelSelector({"shard": "ext"})
    assert excluded(controller(), route(), {}) == ""
    assert excluded(controller(route_selector=ext), route(), {}) == "spec.routeSelector"
    assert excluded(controller(route_selector=ext), route(shard="ext"), {}) == ""
    assert excluded(controller(namespace_selector=ext), route(), {}) == "spec.namespaceSelector"
    assert excluded(controller(namespace_selector=ext), route(), {"shard": "ext"}) == ""


def test_the_apis_defaults_are_ours() -> None:
    assert limits(TuningOptions()) == {}


def test_tuning_options_become_limits() -> None:
    tuning = TuningOptions(
        header_buffer_bytes=65536, client_timeout=5.0, max_connections=-1, client_fin_timeout=9.0
    )
    found = Limits(**limits(tuning))
    assert found.head_bytes == 65536 - 8192
    assert found.client_timeout == 5.0
    assert found.fin_timeout == 9.0
    assert found.max_connections > 10**9
    assert found.tunnel_timeout == DEFAULT.tunnel_timeout


@pytest.mark.parametrize(
    ("threads", "workers", "told"), [(0, 2, 0), (4, 4, 0), (4, 2, 1), (4, 0, 1)]
)
def test_a_thread_count_that_is_not_the_workers_is_told(
    threads: int, workers: int, told: int
) -> None:
    tuning = TuningOptions(thread_count=threads)
    found = list(overlooked(controller(tuning_options=tuning), workers))
    assert len(found) == told
    assert all(field == "spec.tuningOptions.threadCount" for field, _ in found)
    assert all(f"--workers {threads}" in message for _, message in found)
