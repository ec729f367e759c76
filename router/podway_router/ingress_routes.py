"""One Ingress to its Routes, as OpenShift's controller makes them. Pure.

Beyond it (`reference/route-api.md` section 5): paths of type Exact match exactly, Prefix goes by
path elements, and the default backend serves the hosts that the Ingress names.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from podway_cluster import Problem
from podway_cluster.model import Ingress, Meta, Route, Service
from podway_cluster.model.ingress import IngressBackend, IngressPath
from podway_cluster.model.route import RouteBackend, RouteTls
from podway_router import hosts
from podway_router.ingress_seen import Seen
from podway_router.ingress_tls import Unusable, tls_of

_SUFFIX = 5
"""Letters that the cluster appends to `generateName`."""
_WILDCARD_LABEL = "wildcard"
"""A wildcard Route needs a host below the parent: OpenShift's controller takes this label."""


class Made(NamedTuple):
    """What came of one Ingress."""

    routes: tuple[Route, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Want(NamedTuple):
    """One Route to be made."""

    field: str
    """Where in the Ingress it stands."""
    host: str
    path: IngressPath


def convert(ingress: Ingress, seen: Seen) -> Made:
    """Make the Routes of an Ingress; what can't be one is left out and said."""
    routes: dict[tuple[str, str, bool], Route] = {}
    problems: list[Problem] = []
    for want in _wanted(ingress, problems):
        try:
            route = _route(ingress, want, seen)
        except Unusable as error:
            problems.append(_problem(ingress, error.field or want.field, str(error)))
            continue
        if (route.host, route.path, route.exact) in routes:
            problems.append(
                _problem(
                    ingress, want.field, "host and path are there before: no Route is made of it"
                )
            )
        elif not any(_is_same(route, one) for one in seen.owned):
            routes[route.host, route.path, route.exact] = route
    seen.close()
    return Made(tuple(routes.values()), tuple(dict.fromkeys(problems)))


def _problem(ingress: Ingress, field: str, message: str) -> Problem:
    return Problem.about(ingress.meta, field, message)


def _wanted(ingress: Ingress, problems: list[Problem]) -> Iterator[_Want]:
    """Give what its rules ask for, then what is left of their hosts for the default backend."""
    named: dict[str, bool] = {}
    for number, rule in enumerate(ingress.rules):
        field = f"spec.rules[{number}]"
        if not rule.host:
            problems.append(
                _problem(
                    ingress,
                    f"{field}.host",
                    "is missing: no Route is made of it, a Route has a host",
                )
            )
            continue
        named.setdefault(rule.host, False)
        if rule.paths is None and ingress.default_backend is None:
            problems.append(
                _problem(ingress, f"{field}.http", "is missing: no Route is made of the rule")
            )
        for place, path in enumerate(rule.paths or ()):
            named[rule.host] |= path.path_type != "Exact" and path.path.rstrip("/") == ""
            yield _Want(f"{field}.http.paths[{place}]", rule.host, path)
    named.update((host, False) for tls in ingress.tls for host in tls.hosts if host not in named)
    if ingress.default_backend is None:
        return
    if not named:
        problems.append(
            _problem(ingress, "spec.defaultBackend", "serves no host: name some in rules")
        )
    for host, whole in named.items():
        if not whole:
            yield _Want(
                "spec.defaultBackend", host, IngressPath(ingress.default_backend, "/", "Prefix")
            )


def _route(ingress: Ingress, want: _Want, seen: Seen) -> Route:
    """Make one Route; Unusable says why there is none."""
    host, policy = want.host, "None"
    if host.startswith("*."):
        host, policy = f"{_WILDCARD_LABEL}.{hosts.parent(host)}", "Subdomain"
    tls = tls_of(ingress, want.host, seen)
    backend = want.path.backend
    return Route(
        meta=_meta(ingress, want),
        to=RouteBackend(backend.service_name),
        host=host,
        path=_path(want.path, tls),
        target_port=_target_port(ingress, backend, seen),
        tls=tls,
        wildcard_policy=policy,
        exact=want.path.path_type == "Exact",
    )


def _meta(ingress: Ingress, want: _Want) -> Meta:
    """Give the metadata: a name that stays the same as long as host and path do."""
    spoken = "\0".join((want.host, want.path.path, want.path.path_type))
    suffix = sha256(spoken.encode()).hexdigest()[:_SUFFIX]
    name = f"{ingress.meta.name}-{suffix}"
    return ingress.meta._replace(kind="Route", name=name, owner=f"Ingress/{ingress.meta.name}")


def _path(path: IngressPath, tls: RouteTls | None) -> str:
    """Give the Route's path: its own matching is by elements but for a slash at the end."""
    spec = path.path if path.path_type == "Exact" else path.path.rstrip("/") or "/"
    if path.path_type == "ImplementationSpecific":
        spec = path.path or "/"
    if tls is None or tls.termination != "passthrough":
        return spec
    if spec != "/" or path.path_type == "Exact":
        raise Unusable(f"no Route is made of the path {spec!r}: passthrough reads no HTTP")
    return ""


def _target_port(ingress: Ingress, backend: IngressBackend, seen: Seen) -> int | str | None:
    """Give the endpoint port that belongs to the backend's Service port."""
    namespace, name = ingress.meta.namespace, backend.service_name
    if not name:
        raise Unusable("no Route is made of it: its backend is no Service")
    service: Service | None = seen.get("services", (namespace, name))
    if service is None:
        raise Unusable(f"no Route is made of it: there is no Service {namespace}/{name}")
    wanted = "" if backend.service_port is None else backend.service_port
    port = service.find_port(wanted)
    if port is None:
        there = ", ".join(one.label for one in service.ports) or "none"
        label = f"Service {namespace}/{name}"
        raise Unusable(f"no Route is made of it: {label} has no port {wanted}; there are: {there}")
    return port.name or None  # endpoints carry its name; only a single port has none


def _is_same(made: Route, read: Route) -> bool:
    """Tell whether a Route that was read is the one that a cluster made for this path."""
    return (made.host, made.path or "/", made.to.name) == (
        read.host,
        read.path or "/",
        read.to.name,
    )
