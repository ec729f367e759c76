"""Which sockets an IngressController asks for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from podway_cluster.model import IngressController
from podway_proxy.process.spec import ListenerSpec
from podway_proxy.values import Address
from podway_router.entry import HTTP, HTTPS, listener_key
from podway_router.options import Options

_FIELD = "spec.endpointPublishingStrategy."


def listeners(controller: IngressController, options: Options) -> list[ListenerSpec]:
    """Give its HTTP and HTTPS listeners and, with statsPort, one for the loader."""
    strategy = controller.endpoint_publishing_strategy
    name, label = controller.meta.name, controller.meta.label
    specs = []
    for kind, given, port in (
        (HTTP, options.http, strategy.http_port),
        (HTTPS, options.https, strategy.https_port),
    ):
        why = f"--{kind}" if given else f"{label} {_FIELD}{kind}Port"
        for host, number in [given] if given else [(bind, port) for bind in options.binds]:
            key = listener_key(kind, name, host, number)
            steered = kind == HTTPS and options.client_affinity
            specs.append(ListenerSpec(key, host, number, why=why, steered=steered))
    for bind in options.binds if strategy.stats_port else ():
        key = listener_key("stats", name, bind, strategy.stats_port)
        why = f"{label} {_FIELD}statsPort"
        specs.append(ListenerSpec(key, bind, strategy.stats_port, admin=True, why=why))
    return specs


def clashes(specs: Iterable[ListenerSpec]) -> list[str]:
    """Name the ports that are asked for more than once (0, any free port, is never one)."""
    wanted: defaultdict[Address, list[str]] = defaultdict(list)
    for spec in specs:
        wanted[spec.host, spec.port].append(spec.why)
    return [
        f"{host}:{port} is asked for by {' and by '.join(why)}: give one of them another port"
        for (host, port), why in wanted.items()
        if port and len(why) > 1
    ]


def disagreement(controller: IngressController, options: Options) -> str:
    """Say when the controller's `protocol` and `--proxy-protocol` do not agree; else empty."""
    wanted = controller.endpoint_publishing_strategy.protocol == "PROXY"
    if wanted == bool(options.trusted):
        return ""
    if wanted:
        return (
            f"{controller.meta.label} has protocol: PROXY, but no address is trusted to send it: "
            "give the load balancers' with --proxy-protocol CIDR,…"
        )
    return (
        f"--proxy-protocol is given, but {controller.meta.label} has not protocol: PROXY: set "
        f"{_FIELD}hostNetwork.protocol, or leave the option out"
    )
