"""Which processes make up the lab, and with which options: read off the objects. Pure.

| Process | From |
|---|---|
| dns | the Service `openshift-dns/dns-default`: its clusterIP is the address to listen on |
| | the endpoints of the Service `openshift-dns/dns-over-http`: where it answers over HTTP |
| lb-a, lb-b, … | Services of type LoadBalancer: the first address of each is lb-a's, and so on |
| router node-1, … | every Node's InternalIP, with all IngressControllers on their own ports |
| pods | every Pod with a podIP and a container port |
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from podway.lab.children import Command
from podway.lab.ports import Address, Ports

if TYPE_CHECKING:
    from podway_cluster import Snapshot
    from podway_cluster.model import Pod

DNS_SERVICE = ("openshift-dns", "dns-default")
"""The Service that a cluster's own name server has."""
DNS_OVER_HTTP = ("openshift-dns", "dns-over-http")
"""The Service behind a Route to `/dns-query`, where there is one."""
SOURCE = "127.0.4.%d"
"""The address that the n-th load balancer connects from: the routers trust just these."""
ADMIN_PORT = 9153
"""Admin port of dns and lbs, each on its own address (the port of CoreDNS's metrics)."""
DRAIN = ("--drain-wait", "0", "--drain-timeout", "1")
"""In a lab nobody waits: no balancer in front has to notice first."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Balancer(NamedTuple):
    """One load balancer."""

    name: str
    addresses: tuple[str, ...]
    source: str


class Router(NamedTuple):
    """One node's router."""

    node: str
    address: str


class Lab(NamedTuple):
    """What the objects say the lab consists of."""

    dns: str
    dns_over_http: tuple[Address, ...]
    balancers: tuple[Balancer, ...]
    routers: tuple[Router, ...]
    controllers: tuple[tuple[str, tuple[int, int, int]], ...]
    """(name, (HTTP, HTTPS and stats port)) of each."""
    proxy: bool
    """The routers take PROXY headers."""
    pods: tuple[Pod, ...]

    @property
    def stats(self) -> list[Address]:
        """Give the routers' stats ports: they say when a router is ready."""
        return [(r.address, three[2]) for r in self.routers for _, three in self.controllers]

    @property
    def admins(self) -> list[Address]:
        """Give the admin ports of dns and the balancers."""
        hosts = [self.dns, *(balancer.addresses[0] for balancer in self.balancers)]
        return [(host, ADMIN_PORT) for host in hosts]

    @property
    def fixed(self) -> list[Address]:
        """Every address that must be free whatever ports the clients use."""
        ports = [port for _, three in self.controllers for port in three]
        taken = [(router.address, port) for router in self.routers for port in ports]
        taken += [*self.admins, *self.dns_over_http]
        return taken + [(pod.pod_ips[0], port) for pod in self.pods for port in _ports(pod)]


class UnfitError(Exception):
    """The objects do not describe a lab; the message says what is missing and where it belongs."""


def read_lab(snapshot: Snapshot) -> Lab:
    """Read the lab off the objects. Raises `UnfitError` when a part has nothing to run on."""
    controllers = snapshot.ingress_controllers.values()
    strategies = [(one.meta.name, one.endpoint_publishing_strategy) for one in controllers]
    nodes = (node for node in snapshot.nodes.values() if node.internal_ip)
    lab = Lab(
        dns=_dns_address(snapshot),
        dns_over_http=_dns_over_http(snapshot),
        balancers=tuple(_balancers(snapshot)),
        routers=tuple(Router(node.meta.name, node.internal_ip) for node in nodes),
        controllers=tuple(
            (name, (s.http_port, s.https_port, s.stats_port)) for name, s in strategies
        ),
        proxy=any(strategy.protocol == "PROXY" for _, strategy in strategies),
        pods=pods_with_ports(snapshot),
    )
    _complete(lab)
    return lab


def commands(
    lab: Lab, ports: Ports, manifests: Sequence[Path], state: Path, pods: str
) -> tuple[list[Command], list[Command]]:
    """Give the processes that a first answer needs, and the others.

    Each in the order in which to start them: what takes longest goes first.
    """
    objects = [part for one in manifests for part in ("--manifests", str(one))]
    common = [*objects, "--workers", "1", "--log-format", "json", *DRAIN]
    if os.geteuid() == 0:
        common += ["--user", "root"]  # whoever starts a lab as root means it: no warning
    router, *routers = (_router(lab, ports, one, common, state) for one in lab.routers)
    balancer, *balancers = (_balancer(ports, one, common, state) for one in lab.balancers)
    dns = _dns(lab, ports, common, state)
    served = Command("pods", ["-m", "podway.pods", str(state)], pods)
    return [router, balancer, dns, served], [*routers, *balancers]


def pods_with_ports(snapshot: Snapshot) -> tuple[Pod, ...]:
    """Give the Pods that can be served: those with an address and a TCP port."""
    return tuple(pod for pod in snapshot.pods.values() if pod.pod_ips and _ports(pod))


def pods_as_json(pods: Sequence[Pod], snapshot: Snapshot) -> str:
    """Give what `podway.pods` reads on its standard input."""
    return json.dumps([_pod(pod, snapshot) for pod in pods])


def _dns_address(snapshot: Snapshot) -> str:
    service = snapshot.services.get(DNS_SERVICE)
    return service.cluster_ips[0] if service and service.cluster_ips else ""


def _dns_over_http(snapshot: Snapshot) -> tuple[Address, ...]:
    from podway_cluster.endpoints import endpoints

    found, _ = endpoints(snapshot, *DNS_OVER_HTTP, None, allow_loopback=True)
    return tuple((one.host, one.port) for one in found)


def _balancers(snapshot: Snapshot) -> list[Balancer]:
    services = [s for s in snapshot.services.values() if s.type == "LoadBalancer"]
    most = max((len(service.load_balancer_ips) for service in services), default=0)
    return [
        Balancer(
            f"lb-{_LETTERS[index % len(_LETTERS)]}",
            tuple(s.load_balancer_ips[index] for s in services if len(s.load_balancer_ips) > index),
            SOURCE % (index + 1),
        )
        for index in range(most)
    ]


def _complete(lab: Lab) -> None:
    needed = (
        (lab.dns, "no Service openshift-dns/dns-default with a clusterIP: no address for dns"),
        (lab.balancers, "no Service of type LoadBalancer with addresses: nothing for an lb to do"),
        (lab.routers, "no Node with an InternalIP: no address for a router"),
        (lab.controllers, "no IngressController: nothing for a router to do"),
    )
    missing = [words for present, words in needed if not present]
    if missing:
        raise UnfitError("\n".join(missing))


def _router(lab: Lab, ports: Ports, router: Router, common: Sequence[str], state: Path) -> Command:
    name = f"router {router.node}"
    arguments = ["podway-router", *_each("--name", [name for name, _ in lab.controllers])]
    arguments += ["--bind", router.address, "--allow-loopback-endpoints", "--access-log"]
    arguments += ["--external-https-port", str(ports.https)]
    if lab.proxy:
        arguments += ["--proxy-protocol", ",".join(one.source for one in lab.balancers)]
    arguments += ["--ca-dir", str(state)]  # the pods' certificates come from the same CA
    return Command(name, [*arguments, *common, "--state-dir", str(state / router.node)])


def _balancer(ports: Ports, balancer: Balancer, common: Sequence[str], state: Path) -> Command:
    arguments = ["podway-lb", "--name", balancer.name, *_each("--bind", balancer.addresses)]
    arguments += ["--source", balancer.source, "--allow-loopback-endpoints"]
    arguments += ["--port-map", f"80={ports.http},443={ports.https}"]
    arguments += ["--admin", f"{balancer.addresses[0]}:{ADMIN_PORT}"]
    return Command(balancer.name, [*arguments, *common, "--state-dir", str(state / balancer.name)])


def _dns(lab: Lab, ports: Ports, common: Sequence[str], state: Path) -> Command:
    arguments = ["podway-dns", "--listen", f"{lab.dns}:{ports.dns}"]
    arguments += _each("--http-listen", [f"{host}:{port}" for host, port in lab.dns_over_http])
    arguments += ["--admin", f"{lab.dns}:{ADMIN_PORT}"]
    return Command("dns", [*arguments, *common, "--state-dir", str(state / "dns")])


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def _ports(pod: Pod) -> dict[int, bool]:
    """Give the TCP ports of a Pod and whether each speaks TLS: the one that is named https does."""
    listed = (port for container in pod.containers for port in container.ports)
    return {p.container_port: p.name == "https" for p in listed if p.protocol == "TCP"}


def _pod(pod: Pod, snapshot: Snapshot) -> tuple[object, ...]:
    """One row of `podway.pods.__main__.read_pods`."""
    meta = pod.meta
    ports = list(_ports(pod).items())
    names = certificate_names(pod, snapshot)
    return (meta.name, meta.namespace, pod.node_name, pod.pod_ips[0], ports, names)


def certificate_names(pod: Pod, snapshot: Snapshot) -> list[str]:
    """Give the names that TLS clients of the Pod expect.

    First the hosts of passthrough Routes whose Services select it, then the names of the Services
    that reencrypt Routes lead to.
    """
    selecting = {
        service.meta.name
        for service in snapshot.services.values()
        if service.meta.namespace == pod.meta.namespace
        and service.selector
        and service.selector.items() <= pod.meta.labels.items()
    }
    hosts: list[str] = []
    services: list[str] = []
    for route in snapshot.routes.values():
        reached = selecting & {backend.name for backend in route.backends}
        if route.meta.namespace != pod.meta.namespace or route.tls is None or not reached:
            continue
        if route.tls.termination == "passthrough" and route.host:
            hosts.append(route.host)
        elif route.tls.termination == "reencrypt":
            services += [f"{name}.{route.meta.namespace}.svc" for name in sorted(reached)]
    return list(dict.fromkeys(hosts + services))
