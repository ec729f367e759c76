"""The cluster's objects for tests of the load balancer and the router, as plain dictionaries."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def controller(name: str, http: int, https: int, stats: int = 0, **spec: Any) -> Object:
    """Give an IngressController on these host ports; `protocol=` is the publishing strategy's."""
    protocol = spec.pop("protocol", "TCP")
    ports = {"httpPort": http, "httpsPort": https, "protocol": protocol}
    if stats:
        ports["statsPort"] = stats
    return {
        "apiVersion": "operator.openshift.io/v1",
        "kind": "IngressController",
        "metadata": {"name": name, "namespace": "openshift-ingress-operator"},
        "spec": {
            "domain": f"{name}.example.test",
            "endpointPublishingStrategy": {"type": "HostNetwork", "hostNetwork": ports},
            **spec,
        },
    }


def route(
    name: str, host: str, service: str | dict[str, int], namespace: str = "shop", **spec: Any
) -> Object:
    """Give a Route to a Service, or to several with weights."""
    weights = {service: 100} if isinstance(service, str) else service
    backends = [{"kind": "Service", "name": one, "weight": w} for one, w in weights.items()]
    annotations = spec.pop("annotations", {})
    labels = spec.pop("labels", {})
    return {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": annotations,
            "labels": labels,
        },
        "spec": {
            "host": host,
            "to": backends[0],
            **({"alternateBackends": backends[1:]} if backends[1:] else {}),
            **spec,
        },
    }


def service(name: str, namespace: str = "shop", **spec: Any) -> Object:
    """Give a Service with one port named http."""
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations},
        "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}], **spec},
    }


def endpoints(
    name: str, *addresses: tuple[str, int], namespace: str = "shop", port: str = "http"
) -> list[Object]:
    """Give one EndpointSlice per port number for a Service."""
    by_port: dict[int, list[str]] = {}
    for host, number in addresses:
        by_port.setdefault(number, []).append(host)
    return [
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{name}-{port}-{number}",
                "namespace": namespace,
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [host]} for host in hosts],
            "ports": [{"name": port, "port": number, "protocol": "TCP"}],
        }
        for number, hosts in by_port.items()
    ]


def balanced(name: str, ip: str, ports: dict[str, int], **spec: Any) -> Object:
    """Give a Service of type LoadBalancer in openshift-ingress, with ports by name."""
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "openshift-ingress", "annotations": annotations},
        "spec": {
            "type": "LoadBalancer",
            **({"loadBalancerIP": ip} if ip else {}),
            "ports": [
                {"name": label, "port": port, "targetPort": port} for label, port in ports.items()
            ],
            **spec,
        },
    }


def ingress(
    name: str,
    *rules: tuple[str, str, str, str],
    namespace: str = "shop",
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> Object:
    """Give an Ingress; each rule is (host, path, pathType, Service), whose port is 80."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": namespace, "annotations": annotations or {}},
        "spec": {
            "rules": [
                {
                    "host": host,
                    "http": {
                        "paths": [{"path": path, "pathType": kind, "backend": backend(service)}]
                    },
                }
                for host, path, kind, service in rules
            ],
            **spec,
        },
    }


def backend(service: str, port: int | str = 80) -> Object:
    """Give an Ingress's backend."""
    number = "number" if isinstance(port, int) else "name"
    return {"service": {"name": service, "port": {number: port}}}


def secret(
    name: str, namespace: str = "shop", kind: str = "kubernetes.io/tls", **data: str
) -> Object:
    """Give a Secret with these texts."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": kind,
        "stringData": data,
    }
