"""From a Route to its claim on a host, or the reason why it can have none. Pure."""

from __future__ import annotations

from podway_cluster.model import IngressController, Route
from podway_router import hosts
from podway_router.admission import Claim, Condition, Policy
from podway_router.table import EXACT

INVALID_HOST = "InvalidHost"
NO_HOST = "NoHostValue"


def policy(controller: IngressController) -> Policy:
    """Read `spec.routeAdmission`."""
    admission = controller.route_admission
    return Policy(
        strict=admission.namespace_ownership != "InterNamespaceAllowed",
        wildcards=admission.wildcard_policy == "WildcardsAllowed",
    )


def host_of(route: Route, controller: IngressController) -> str:
    """Give the host for this controller: its own, by its subdomain, or generated; else empty."""
    if route.host:
        return route.host.lower().removesuffix(".")
    domain = controller.domain
    if not domain:
        return ""
    if route.subdomain:
        return f"{route.subdomain}.{domain}"
    return hosts.generated(route.meta.name, route.meta.namespace, domain)


def claim(route: Route, controller: IngressController) -> Claim | Condition:
    """Give the Route's claim, or the condition with which it is refused."""
    host = host_of(route, controller)
    if not host:
        message = (
            "neither spec.host nor a spec.domain of the controller from which to make one: "
            "set spec.host"
        )
        return Condition(admitted=False, reason=NO_HOST, message=message)
    wrong = hosts.problem(host)
    wildcard = route.wildcard_policy == "Subdomain"
    if not wrong and wildcard and "." not in host:
        wrong = f"{host!r} has no parent domain that a wildcard could cover"
    if wrong:
        return Condition(admitted=False, reason=INVALID_HOST, message=wrong)
    return Claim(
        key=route.meta.key,
        host=host,
        path=(EXACT if route.exact else "") + (route.path or "/"),
        termination=route.tls.termination if route.tls else "",
        wildcard=wildcard,
        age=route.meta.seniority,
    )
