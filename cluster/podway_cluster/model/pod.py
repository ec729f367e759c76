"""Pod (v1): what a Service's selector may find."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .meta import EMPTY, Meta


class ContainerPort(NamedTuple):
    """One of a container's `ports`."""

    container_port: int
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0


class Container(NamedTuple):
    """One of `spec.containers`."""

    name: str
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = EMPTY
    """Plain values only; `valueFrom` is left out."""
    ports: tuple[ContainerPort, ...] = ()


class Pod(NamedTuple):
    """One Pod."""

    meta: Meta
    containers: tuple[Container, ...] = ()
    node_name: str = ""
    hostname: str = ""
    subdomain: str = ""
    host_network: bool = False
    phase: str = ""
    """Pending, Running, Succeeded, Failed, Unknown; empty where the object has no status."""
    pod_ips: tuple[str, ...] = ()
    """The first one is `status.podIP`."""
    ready: bool = True
    """The condition Ready; where the object has no conditions, whether the phase is Running or
    absent (a Pod written by hand)."""

    @property
    def terminating(self) -> bool:
        """Tell whether it is being deleted."""
        return bool(self.meta.deletion_timestamp)

    def find_port(self, name: str, protocol: str = "TCP") -> int | None:
        """Give the number of the container port with this name (a Service's `targetPort`)."""
        for container in self.containers:
            for port in container.ports:
                if port.name == name and port.protocol == protocol:
                    return port.container_port
        return None
