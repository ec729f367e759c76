"""Node (v1): where routers and pods run."""

from __future__ import annotations

from typing import NamedTuple

from .meta import Meta


class NodeAddress(NamedTuple):
    """One of `status.addresses`."""

    type: str
    """InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS."""
    address: str


class Node(NamedTuple):
    """One Node (cluster-scoped)."""

    meta: Meta
    addresses: tuple[NodeAddress, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    unschedulable: bool = False
    ready: bool = True
    """The condition Ready; True where the object has no conditions."""

    @property
    def internal_ip(self) -> str:
        """The first InternalIP, empty where there is none."""
        return next((each.address for each in self.addresses if each.type == "InternalIP"), "")
