"""What comes of one Route on one controller: its condition, endpoints and entry. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from podway_cluster import Problem, Snapshot
from podway_cluster.model import IngressController, Route, Secret
from podway_router import backends, claims, effectless, heads, sticky
from podway_router.access.wanted import servers
from podway_router.admission import ADMITTED, Claim, Condition
from podway_router.certificates import NOTHING as NO_TLS
from podway_router.certificates import Served, digest_of, of_route
from podway_router.entry import RouteEntry
from podway_router.options import Options
from podway_router.wishes import Wishes, read


class RouteStatus(NamedTuple):
    """What came of one Route for one controller: what its status would say in the cluster."""

    controller: str
    route: Route
    host: str
    condition: Condition
    warnings: tuple[str, ...] = ()
    """What is wrong with its annotations: `field: message`."""
    wishes: Wishes = Wishes()
    served: backends.Backends = backends.Backends()
    entry: RouteEntry | None = None
    """None unless admitted."""
    tls: Served = NO_TLS
    problems: tuple[str, ...] = ()
    """What its author should know, as finished lines."""


def judge(
    snapshot: Snapshot,
    controller: IngressController,
    route: Route,
    asked: Claim | Condition,
    decided: Condition,
    options: Options,
) -> RouteStatus:
    """Compile one Route of the shard. `decided` is of no meaning where it could claim nothing."""
    name = controller.meta.name
    if isinstance(asked, Condition):
        status = RouteStatus(name, route, claims.host_of(route, controller), asked)
    else:
        status = _status(snapshot, controller, route, asked, decided, options)
    problems = tuple(map(str, _problems(status)))
    return status._replace(problems=problems) if problems else status


def _status(
    snapshot: Snapshot,
    controller: IngressController,
    route: Route,
    claim: Claim,
    condition: Condition,
    options: Options,
) -> RouteStatus:
    wishes, warnings = read(route.meta.annotations)
    name = controller.meta.name
    if condition != ADMITTED:
        return RouteStatus(name, route, claim.holds, condition, warnings)
    if route.host and route.subdomain:
        warnings = (
            *warnings,
            "spec.subdomain: is ignored, as spec.host is given: remove one of them",
        )
    done, faults = heads.of_route(route, wishes)
    warnings = (*warnings, *(f"{field}: {message}" for field, message in faults))
    warnings = (*warnings, *effectless.warnings(route.meta.annotations, claim.termination))
    served = backends.gather(snapshot, route, options.allow_loopback)
    tls = of_route(route, claim.holds, secrets_of(snapshot, route))
    tls = NO_TLS if isinstance(tls, Condition) else tls  # then it had no claim
    entry = _entry(controller, route, claim, wishes, served)
    named = servers(controller, served, options.openshift_metrics)
    entry = entry._replace(**_tls(route, claim, tls), **done, servers=named)
    warnings = (*warnings, *tls.warnings)
    return RouteStatus(name, route, claim.holds, condition, warnings, wishes, served, entry, tls)


def secrets_of(snapshot: Snapshot, route: Route) -> Callable[[str], Secret | None]:
    """Give what finds the Secrets that a Route may name: those of its namespace."""
    return lambda name: snapshot.secrets.get((route.meta.namespace, name))


def _tls(route: Route, claim: Claim, tls: Served) -> dict[str, Any]:
    """Give the fields of an entry that are about TLS."""
    certificate = tls.certificate.digest if tls.certificate else ""
    if claim.termination != "reencrypt":
        return {"certificate": certificate}
    ca = tls.destination_ca
    services = () if ca else (backend.name for backend in route.backends)
    return {
        "certificate": certificate,
        "server_name": claim.host,
        "ca": digest_of(ca) if ca else "",
        "pod_names": [f"{name}.{route.meta.namespace}.svc" for name in services] or None,
    }


def _entry(
    controller: IngressController,
    route: Route,
    claim: Claim,
    wishes: Wishes,
    served: backends.Backends,
) -> RouteEntry:
    tuning = controller.tuning_options
    through = wishes.timeout if claim.termination == "passthrough" else None
    return RouteEntry(
        host=claim.holds,
        path=claim.path,
        termination=claim.termination,
        insecure=route.tls.insecure_edge_termination_policy if route.tls else "",
        endpoints=list(served.endpoints),
        policy=backends.policy(route, wishes),
        step=served.step,
        why=served.why,
        server_timeout=wishes.timeout or tuning.server_timeout,
        tunnel_timeout=wishes.timeout_tunnel or through or tuning.tunnel_timeout,
        forwarded=wishes.forwarded or "",
        allowed=None if wishes.allowed is None else list(wishes.allowed),
        **_cookie(route, claim, wishes, served),
        rules=wishes.rules,
        pod_connections=wishes.pod_connections,
    )


def _cookie(
    route: Route, claim: Claim, wishes: Wishes, served: backends.Backends
) -> dict[str, Any]:
    """Give the fields of an entry that are about the cookie which keeps clients at a pod."""
    if claim.termination == "passthrough" or wishes.no_cookies:
        return {}
    insecure = route.tls is None or route.tls.insecure_edge_termination_policy == "Allow"
    return {
        "cookie": wishes.cookie_name or sticky.usual_name(*route.meta.key),
        "same_site": "" if insecure else wishes.same_site or "None",
        "kept": list(served.kept) or None,
    }


def _problems(status: RouteStatus) -> Iterable[Problem]:
    """Give what the Route's author should know."""
    if not status.condition.admitted:
        message = f"not admitted by {status.controller}: {status.condition.reason}: "
        yield Problem.about(status.route.meta, "spec.host", message + status.condition.message)
    for warning in status.warnings:
        field, _, message = warning.partition(": ")
        yield Problem.about(status.route.meta, field, message)
    for place, share in enumerate(status.served.shares):
        if not share.exists:
            field = f"spec.alternateBackends[{place - 1}].name" if place else "spec.to.name"
            message = f"there is no Service {status.route.meta.namespace}/{share.service}"
            yield Problem.about(status.route.meta, field, message)
