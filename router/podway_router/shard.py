"""One IngressController: what belongs to it, and what its settings mean to the plane. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from podway_cluster.model import IngressController, Route, TuningOptions
from podway_proxy.limits import DEFAULT

HOME = "openshift-ingress-operator"
"""The namespace in which the cluster has its IngressControllers."""
_UNBOUNDED = 2**31 - 1
"""maxConnections -1: the descriptors are the limit, and running out of them is survived."""


def choose(controllers: Iterable[IngressController]) -> dict[str, IngressController]:
    """Give the controllers by name; of two with one name that in the operator's namespace."""
    ordered = sorted(controllers, key=lambda one: (one.meta.namespace == HOME, one.meta.key))
    return {one.meta.name: one for one in ordered}


def excluded(controller: IngressController, route: Route, namespace: Mapping[str, str]) -> str:
    """Name the selector that keeps a Route out of the shard; empty when it belongs to it.

    `namespace`: the labels of the Route's Namespace.
    """
    by_route, by_namespace = controller.route_selector, controller.namespace_selector
    if by_route is not None and not by_route.matches(route.meta.labels):
        return "spec.routeSelector"
    if by_namespace is not None and not by_namespace.matches(namespace):
        return "spec.namespaceSelector"
    return ""


def overlooked(controller: IngressController, workers: int) -> Iterator[tuple[str, str]]:
    """Give (field, message) of each setting that is not acted on; `workers`: how many there are."""
    threads = controller.tuning_options.thread_count
    if threads and threads != workers:
        runs = f"this router has {workers}" if workers else "the router has as many as processors"
        message = f"the command line says how many workers there are: {runs}; --workers {threads}"
        yield "spec.tuningOptions.threadCount", message


def limits(tuning: TuningOptions) -> dict[str, float]:
    """Give the fields of `podway_proxy.limits.Limits` that the controller sets otherwise.

    The API's fin time-outs of 1 s cut slow answers after a half-close, so that only others than
    1 s are taken over.
    """
    fin = max(tuning.client_fin_timeout, tuning.server_fin_timeout)
    head = tuning.header_buffer_bytes - tuning.header_buffer_max_rewrite_bytes
    wanted: dict[str, float] = {
        "hello_timeout": tuning.tls_inspect_delay,
        "head_bytes": max(head, 1024),
        "keepalive_timeout": tuning.http_keep_alive_timeout,
        "client_timeout": tuning.client_timeout,
        "server_timeout": tuning.server_timeout,
        "connect_timeout": tuning.connect_timeout,
        "tunnel_timeout": tuning.tunnel_timeout,
        "fin_timeout": DEFAULT.fin_timeout if fin == 1.0 else fin,
        "max_connections": _UNBOUNDED if tuning.max_connections < 0 else tuning.max_connections,
    }
    return {name: value for name, value in wanted.items() if value != getattr(DEFAULT, name)}
