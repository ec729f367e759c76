"""The kinds that podway reads: which apiVersion, which scope, who reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ..model import Meta, Object
from ..parse.fields import Fields
from .config import read_config_map, read_namespace, read_secret
from .controller import read_ingress_controller
from .dns import read_dns, read_dns_record
from .endpoints import read_endpoint_slice, read_endpoints
from .ingress import read_ingress, read_ingress_class
from .names import is_label, is_object_name, is_path_segment
from .pod import read_node, read_pod
from .route import read_route
from .service import read_service


class Kind(NamedTuple):
    """What there is to know about a kind before reading an object of it."""

    group: str
    """API group, empty for the core."""
    name: str
    version: str
    read: Callable[[Meta, Fields], Object]
    namespaced: bool = True
    allows: Callable[[str], bool] = is_object_name
    """Whether a name is one that the API takes."""

    @property
    def api_version(self) -> str:
        """Give what stands in `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version


_ALL = (
    Kind("route.openshift.io", "Route", "v1", read_route),
    Kind("", "Service", "v1", read_service, allows=is_label),
    Kind("networking.k8s.io", "Ingress", "v1", read_ingress),
    Kind("networking.k8s.io", "IngressClass", "v1", read_ingress_class, namespaced=False),
    Kind("operator.openshift.io", "IngressController", "v1", read_ingress_controller),
    Kind("discovery.k8s.io", "EndpointSlice", "v1", read_endpoint_slice),
    Kind("", "Endpoints", "v1", read_endpoints),
    Kind("", "Pod", "v1", read_pod),
    Kind("", "Secret", "v1", read_secret),
    Kind("", "ConfigMap", "v1", read_config_map),
    Kind("", "Namespace", "v1", read_namespace, namespaced=False, allows=is_label),
    Kind("ingress.operator.openshift.io", "DNSRecord", "v1", read_dns_record),
    Kind("config.openshift.io", "DNS", "v1", read_dns, namespaced=False, allows=is_path_segment),
    Kind("", "Node", "v1", read_node, namespaced=False),
)

KINDS: Mapping[tuple[str, str], Kind] = MappingProxyType(
    {(kind.group, kind.name): kind for kind in _ALL}
)
"""(API group, kind) -> what to do with it; all others are ignored."""
