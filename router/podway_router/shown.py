"""Objects as the debug pages show them, with the status that the API would have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podway_cluster.model import IngressController
from podway_proxy.process.spec import Json
from podway_router.certificates import Certificate
from podway_router.compile import Compilation
from podway_router.ingress import Converted
from podway_router.status import RouteStatus


def ingress_status(status: RouteStatus, controller: IngressController) -> Json:
    """Give the entry of `status.ingress` that a router writes in a cluster."""
    admitted = status.condition.admitted
    condition = {"type": "Admitted", "status": "True" if admitted else "False"}
    if not admitted:
        condition |= {"reason": status.condition.reason, "message": status.condition.message}
    return {
        "host": status.route.host or status.host,
        "routerName": controller.meta.name,
        "wildcardPolicy": status.route.wildcard_policy,
        "routerCanonicalHostname": canonical(controller),
        "conditions": [condition],
    }


def routes(found: Compilation) -> list[Json]:
    """Give the page `/debug/routes`."""
    controllers = {part.controller.meta.name: part.controller for part in found.parts}
    return [shown(status, controllers[status.controller]) for status in found.routes]


def controllers(found: Compilation) -> list[Json]:
    """Give the page `/debug/controllers`: each IngressController's status, as the API has it.

    `availableReplicas` counts this process alone; each knows of no other.
    """
    return [_controller(part.controller, found) for part in found.parts]


def _controller(controller: IngressController, found: Compilation) -> Json:
    meta, name = controller.meta, controller.meta.name
    mine = [status for status in found.routes if status.controller == name]
    return {
        "namespace": meta.namespace,
        "name": name,
        "origin": str(meta.origin),
        "routes": len(mine),
        "admitted": sum(status.condition.admitted for status in mine),
        "status": {
            "availableReplicas": int(found.compiled.ready),
            "domain": controller.domain,
            "endpointPublishingStrategy": {"type": controller.endpoint_publishing_strategy.type},
            "conditions": [
                {"type": "Admitted", "status": "True"},
                {"type": "Available", "status": "True" if found.compiled.ready else "False"},
            ],
        },
    }


def ingresses(found: Compilation) -> list[Json]:
    """Give the page `/debug/ingresses`: the Routes of each, and its status."""
    names = {part.controller.meta.name: canonical(part.controller) for part in found.parts}
    owned: dict[tuple[str, str], list[RouteStatus]] = {}
    for status in found.routes:
        kind, _, name = status.route.meta.owner.partition("/")
        if kind == "Ingress":
            owned.setdefault((status.route.meta.namespace, name), []).append(status)
    return [_ingress(one, owned.get(key, ()), names) for key, one in found.ingresses.items()]


def _ingress(found: Converted, owned: Sequence[RouteStatus], names: Mapping[str, str]) -> Json:
    meta = found.ingress.meta
    by = {names[status.controller]: None for status in owned if status.condition.admitted}
    return {
        "namespace": meta.namespace,
        "name": meta.name,
        "origin": str(meta.origin),
        "routes": [status.route.meta.name for status in owned],
        "problems": [f"{one.field}: {one.message}" for one in found.made.problems],
        "status": {"loadBalancer": {"ingress": [{"hostname": one} for one in by if one]}},
    }


def canonical(controller: IngressController) -> str:
    """Give the host name to which the shard's own names lead; empty without a domain."""
    return f"router-{controller.meta.name}.{controller.domain}" if controller.domain else ""


def shown_certificate(certificate: Certificate | None) -> Json:
    """Give what of a Route's own certificate may be shown; None for the default one."""
    if certificate is None:
        return None
    return {"names": list(certificate.names), "expires": certificate.expires.isoformat()}


def shown(status: RouteStatus, controller: IngressController) -> Json:
    """Give one Route as `/debug/routes` shows it."""
    entry = status.entry
    return {
        "controller": status.controller,
        "namespace": status.route.meta.namespace,
        "name": status.route.meta.name,
        "origin": str(status.route.meta.origin),
        "owner": status.route.meta.owner,
        "host": status.host,
        "generated": not (status.route.host or status.route.subdomain),
        "path": status.route.path or "/",
        "exact": status.route.exact,
        "termination": status.route.tls.termination if status.route.tls else "",
        "admitted": status.condition.admitted,
        "reason": status.condition.reason,
        "message": status.condition.message,
        "status": {"ingress": [ingress_status(status, controller)]},
        "warnings": list(status.warnings),
        "certificate": shown_certificate(status.tls.certificate),
        "step": entry.step if entry else "",
        "why": entry.why if entry else "",
        "policy": entry.policy if entry else "",
        "services": [
            {
                "name": share.service,
                "weight": share.weight,
                "exists": share.exists,
                "endpoints": [f"{host}:{port}" for host, port, _ in share.addresses],
                "why": share.why,
            }
            for share in status.served.shares
        ],
        "endpoints": [
            {"address": f"{host}:{port}", "name": name, "weight": weight}
            for host, port, name, weight in (entry.endpoints if entry else ())
        ],
        "cookie": entry.cookie if entry else None,
        "kept": [
            {"address": f"{host}:{port}", "name": name}
            for host, port, name, _ in ((entry.kept if entry else None) or ())
        ],
    }
