"""The cluster's objects as immutable values, one module per family of kinds.

Fields carry the API's names in snake_case; `spec` is flattened into the object, and of `status`
only what decides where traffic goes is kept. Every class is a `NamedTuple`: a frozen slotted
dataclass costs 1.0 ms to define, a NamedTuple 0.2 ms, and the loaders of a lab define all of them
within the first second.
"""

from __future__ import annotations

from .config import ConfigMap, Namespace, Secret, SecretData
from .controller import IngressController, TuningOptions
from .dns import DNS, DNSRecord
from .endpoints import Endpoints, EndpointSlice
from .ingress import Ingress, IngressClass
from .meta import LabelSelector, Meta, Order, Origin
from .node import Node
from .pod import Pod
from .route import Route
from .service import Service

Object = (
    Route | Service | Ingress | IngressClass | IngressController | EndpointSlice | Endpoints
    | Pod | Secret | ConfigMap | Namespace | DNSRecord | DNS | Node
)  # fmt: skip
"""Any object of a kind that podway reads."""

__all__ = [
    "DNS", "ConfigMap", "DNSRecord", "EndpointSlice", "Endpoints", "Ingress", "IngressClass",
    "IngressController", "LabelSelector", "Meta", "Namespace", "Node", "Object", "Order",
    "Origin", "Pod", "Route", "Secret", "SecretData", "Service", "TuningOptions",
]  # fmt: skip
