"""Service (v1): a name and ports in front of endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .meta import EMPTY, Meta


class ServicePort(NamedTuple):
    """One of `spec.ports`."""

    port: int
    name: str = ""
    target_port: int | str = 0
    """Number, or a container port's name; `port` itself where the object gives none."""
    protocol: str = "TCP"
    app_protocol: str = ""
    node_port: int = 0

    @property
    def label(self) -> str:
        """The name where it has one, else the number."""
        return self.name or str(self.port)


class LoadBalancerIngress(NamedTuple):
    """One of `status.loadBalancer.ingress`."""

    ip: str = ""
    hostname: str = ""


class Service(NamedTuple):
    """One Service."""

    meta: Meta
    type: str = "ClusterIP"
    """ClusterIP, NodePort, LoadBalancer or ExternalName."""
    ports: tuple[ServicePort, ...] = ()
    selector: Mapping[str, str] = EMPTY
    cluster_ips: tuple[str, ...] = ()
    """Empty where none is assigned; `("None",)` for a headless Service."""
    external_name: str = ""
    external_ips: tuple[str, ...] = ()
    publish_not_ready_addresses: bool = False
    session_affinity: str = "None"
    """`None` or `ClientIP`."""
    session_affinity_timeout: int = 10_800
    """Seconds (`sessionAffinityConfig.clientIP.timeoutSeconds`)."""
    load_balancer_ip: str = ""
    load_balancer_ingress: tuple[LoadBalancerIngress, ...] = ()
    load_balancer_source_ranges: tuple[str, ...] = ()
    load_balancer_class: str = ""
    external_traffic_policy: str = "Cluster"
    """`Cluster` or `Local`."""
    health_check_node_port: int = 0
    """0 where there is none."""

    @property
    def headless(self) -> bool:
        """Tell whether `clusterIP: None`: names lead to the endpoints themselves."""
        return self.cluster_ips == ("None",)

    @property
    def load_balancer_ips(self) -> tuple[str, ...]:
        """The addresses to listen on: `loadBalancerIP`, then those of the status, each once."""
        assigned = (ingress.ip for ingress in self.load_balancer_ingress)
        return tuple(dict.fromkeys(ip for ip in (self.load_balancer_ip, *assigned) if ip))

    def find_port(self, port: int | str) -> ServicePort | None:
        """Look a port up by number or name; digits in a text count as a number too."""
        wanted = str(port)
        for each in self.ports:
            if each.name == wanted or str(each.port) == wanted:
                return each
        return None
