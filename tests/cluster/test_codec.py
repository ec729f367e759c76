from __future__ import annotations

from typing import Any

import pytest
from cluster_reading import PLACE, good

from podway_cluster import codec
from podway_cluster.model.meta import Hidden

RICH = [
    """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: web, namespace: shop, labels: {a: b}, creationTimestamp: 2024-01-01T00:00:00Z}
spec:
  host: web.test
  to: {name: web, weight: 1}
  alternateBackends: [{name: b}, {name: c}]
  port: {targetPort: 8080}
  tls: {termination: reencrypt, certificate: C, key: K, destinationCACertificate: D}
  httpHeaders: {actions: {request: [{name: X, action: {type: Set, set: {value: v}}}]}}
""",
    """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: a, port: 80, targetPort: x}, {name: b, port: 81}], selector: {a: b}}
status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}
""",
    """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  defaultBackend: {service: {name: a, port: {number: 80}}}
  rules:
  - host: bare.test
  - http: {paths: [{path: /, pathType: Exact, backend: {service: {name: a, port: {name: b}}}}]}
  tls: [{hosts: [a.test], secretName: s}]
""",
    "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: a}\n",
    """
apiVersion: operator.openshift.io/v1
kind: IngressController
metadata: {name: apps}
spec:
  routeSelector: {matchExpressions: [{key: a, operator: In, values: [b]}]}
  clientTLS: {clientCertificatePolicy: Required, clientCA: {name: ca}}
  logging: {access: {destination: {type: Container}}}
  tuningOptions: {clientTimeout: 90s}
""",
    """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
ports: [{name: http}]
""",
    """
apiVersion: v1
kind: Endpoints
metadata: {name: web}
subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 80}]}]
""",
    """
apiVersion: v1
kind: Pod
metadata: {name: web-1}
spec: {containers: [{name: c, env: [{name: A, value: b}], ports: [{containerPort: 80}]}]}
status: {podIP: 10.0.0.1}
""",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: eA==}\nstringData: {b: y}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n",
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
    """
apiVersion: ingress.operator.openshift.io/v1
kind: DNSRecord
metadata: {name: w}
spec: {dnsName: "*.a.test.", recordType: A, targets: [192.0.2.1]}
""",
    "apiVersion: config.openshift.io/v1\nkind: DNS\nmetadata: {name: c}\nspec: {baseDomain: a}\n",
    """
apiVersion: v1
kind: Node
metadata: {name: n}
status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}
""",
]


@pytest.mark.parametrize("text", RICH, ids=lambda text: text.split("kind: ")[1].split()[0])
def test_every_kind_survives(text: str) -> None:
    made: Any = good(text)
    ((place, again),) = codec.decode(codec.encode([(PLACE, made)]))
    assert (place, again) == (PLACE, made)
    assert type(again) is type(made)
    assert repr(again) == repr(made)


def test_every_kind_is_tried() -> None:
    assert {good(text).meta.kind for text in RICH} == set(codec._KINDS)


def test_a_key_stays_hidden() -> None:
    ((_, again),) = codec.decode(codec.encode([(PLACE, good(RICH[0]))]))
    assert isinstance(again.tls.key, Hidden)  # type: ignore[union-attr]


def test_what_another_version_wrote_is_left_out() -> None:
    data = codec.encode([(PLACE, good(RICH[0])), (PLACE, good(RICH[1]))])
    found = codec.decode(data.replace(b'"wildcard_policy"', b'"wildcards"'))
    assert [each.meta.kind for _, each in found] == ["Service"]
    assert codec.decode(data.replace(b'"web.test"', b"5")) == codec.decode(data)[1:]
