"""The kinds that have few rules of their own."""

from __future__ import annotations

import pytest
from cluster_reading import fault, good, problems, read

from podway_cluster.model.ingress import IngressBackend, IngressPath, IngressRule, IngressTls
from podway_cluster.model.meta import LabelSelector, Requirement


def test_ingress() -> None:
    found = good("""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: web, namespace: shop}
        spec:
          ingressClassName: openshift-default
          defaultBackend: {service: {name: fallback, port: {number: 80}}}
          tls: [{hosts: [web.test], secretName: cert}, {}]
          rules:
          - host: "*.web.test"
            http: {paths: [{path: /a, pathType: Prefix, backend: {service: {name: a, port: {name: http}}}}]}
          - host: bare.test
          - http: {paths: [{pathType: ImplementationSpecific, backend: {resource: {kind: X}}}]}
    """)  # noqa: E501 -- one path a line
    assert found.default_backend == IngressBackend("fallback", 80)
    assert found.rules == (
        IngressRule("*.web.test", (IngressPath(IngressBackend("a", "http"), "/a", "Prefix"),)),
        IngressRule("bare.test", None),
        IngressRule("", (IngressPath(IngressBackend()),)),
    )
    assert found.tls == (IngressTls(("web.test",), "cert"), IngressTls())


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("{}", "spec.rules"),
        ("{rules: [{host: A}]}", "spec.rules[0].host"),
        ("{rules: [{http: {}}]}", "spec.rules[0].http.paths"),
        (
            "{rules: [{http: {paths: [{path: x, pathType: Exact, backend: {resource: {}}}]}}]}",
            "spec.rules[0].http.paths[0].path",
        ),
        (
            "{rules: [{http: {paths: [{path: /, backend: {resource: {}}}]}}]}",
            "spec.rules[0].http.paths[0].pathType",
        ),
        ("{defaultBackend: {service: {name: a, port: {}}}}", "spec.defaultBackend.service.port"),
        (
            "{defaultBackend: {service: {name: a, port: {name: x, number: 1}}}}",
            "spec.defaultBackend.service.port",
        ),
        ("{defaultBackend: {x: y}}", "spec.defaultBackend.service"),
    ],
)
def test_ingress_rules(spec: str, field: str) -> None:
    text = f"apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: a}}\nspec: {spec}\n"
    assert fault(text)[0] == field


def test_ingress_class_is_cluster_scoped() -> None:
    found = good("""
        apiVersion: networking.k8s.io/v1
        kind: IngressClass
        metadata: {name: openshift-default, namespace: ignored}
        spec: {controller: openshift.io/ingress-to-route}
    """)
    assert found.meta.key == ("", "openshift-default")
    assert found.controller == "openshift.io/ingress-to-route"


def controller(spec: str) -> str:
    head = "apiVersion: operator.openshift.io/v1\nkind: IngressController"
    return f"{head}\nmetadata: {{name: apps}}\nspec: {spec}\n"


def test_ingress_controller_defaults() -> None:
    found = good(controller("{}"))
    assert found.endpoint_publishing_strategy == ("HostNetwork", 80, 443, 1936, "TCP")
    assert found.tuning_options.client_timeout == 30.0
    assert found.tuning_options.max_connections == 50_000
    assert found.route_selector is None
    assert found.access_logging is None


def test_ingress_controller() -> None:
    found = good(
        controller("""
  domain: apps.lab.example.test
  replicas: 2
  endpointPublishingStrategy:
    type: HostNetwork
    hostNetwork: {httpPort: 10080, httpsPort: 10443, statsPort: 11936, protocol: PROXY}
  defaultCertificate: {name: wildcard}
  routeSelector:
    matchLabels: {shard: apps}
    matchExpressions: [{key: tier, operator: NotIn, values: [test]}]
  namespaceSelector: {}
  routeAdmission: {namespaceOwnership: InterNamespaceAllowed, wildcardPolicy: WildcardsAllowed}
  tlsSecurityProfile: {type: Custom, custom: {ciphers: [A, B], minTLSVersion: VersionTLS13}}
  clientTLS: {clientCertificatePolicy: Required, clientCA: {name: ca}}
  httpHeaders: {forwardedHeaderPolicy: Never, uniqueId: {name: X-Id, format: '%ID'},
                headerNameCaseAdjustments: ['', X-Own]}
  logging: {access: {destination: {type: Syslog, syslog: {address: 192.0.2.9, port: 514}}}}
  tuningOptions: {clientTimeout: 1m30s, tunnelTimeout: 0s, maxConnections: -1,
                  headerBufferBytes: 0, threadCount: 4, connectTimeout: 300ms}
""")
    )
    assert found.endpoint_publishing_strategy.protocol == "PROXY"
    assert found.route_selector == LabelSelector(
        {"shard": "apps"}, (Requirement("tier", "NotIn", ("test",)),)
    )
    assert found.namespace_selector == LabelSelector()
    assert found.tls_security_profile == ("Custom", ("A", "B"), "VersionTLS13")
    assert found.client_tls.client_ca == "ca"
    assert found.http_headers.header_name_case_adjustments == ("X-Own",)
    assert found.access_logging.syslog_port == 514
    options = found.tuning_options
    assert (options.client_timeout, options.tunnel_timeout) == (90.0, 3600.0)
    assert (options.max_connections, options.header_buffer_bytes) == (-1, 32_768)
    assert (options.thread_count, options.connect_timeout) == (4, 0.3)


def test_media_types_to_compress() -> None:
    names = ["text/html", "text/*", "image/svg+xml", "X-custom/sub", "text/css; charset=utf-8"]
    assert good(
        controller(f"{{httpCompression: {{mimeTypes: {names}}}}}")
    ).http_compression_mime_types == tuple(names)


@pytest.mark.parametrize("name", ["text", "custom/sub", "text/a b", "text/html;charset", "text/"])
def test_what_is_no_media_type(name: str) -> None:
    field, message = fault(controller(f"{{httpCompression: {{mimeTypes: ['{name}']}}}}"))
    assert field == "spec.httpCompression.mimeTypes"
    assert repr(name) in message


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("{domain: Apps.test}", "spec.domain"),
        ("{endpointPublishingStrategy: {type: Host}}", "spec.endpointPublishingStrategy.type"),
        (
            "{endpointPublishingStrategy: {type: HostNetwork, hostNetwork: {httpPort: 443}}}",
            "spec.endpointPublishingStrategy.hostNetwork",
        ),
        (
            "{httpHeaders: {actions: {request: [{name: Host, action: {type: Delete}}]}}}",
            "spec.httpHeaders.actions.request[0].name",
        ),
        ("{httpHeaders: {uniqueId: {name: a b}}}", "spec.httpHeaders.uniqueId.name"),
        ("{httpHeaders: {uniqueId: {format: 50%}}}", "spec.httpHeaders.uniqueId.format"),
        (
            "{httpHeaders: {headerNameCaseAdjustments: ['', 'a b']}}",
            "spec.httpHeaders.headerNameCaseAdjustments",
        ),
        ("{tuningOptions: {headerBufferBytes: 100}}", "spec.tuningOptions.headerBufferBytes"),
        ("{tuningOptions: {clientTimeout: 30}}", "spec.tuningOptions.clientTimeout"),
        ("{tuningOptions: {clientTimeout: 30 s}}", "spec.tuningOptions.clientTimeout"),
        ("{tuningOptions: {clientTimeout: -3s}}", "spec.tuningOptions.clientTimeout"),
        ("{tuningOptions: {maxConnections: 10}}", "spec.tuningOptions.maxConnections"),
        ("{tlsSecurityProfile: {type: New}}", "spec.tlsSecurityProfile.type"),
        ("{clientTLS: {clientCertificatePolicy: Required}}", "spec.clientTLS.clientCA.name"),
        (
            "{routeSelector: {matchExpressions: [{key: a, operator: In}]}}",
            "spec.routeSelector.matchExpressions[0].values",
        ),
        ("{routeAdmission: {namespaceOwnership: None}}", "spec.routeAdmission.namespaceOwnership"),
    ],
)
def test_ingress_controller_rules(spec: str, field: str) -> None:
    assert fault(controller(spec))[0] == field


def test_selectors() -> None:
    labels = {"a": "1", "b": "2"}
    assert LabelSelector().matches({})
    assert LabelSelector({"a": "1"}).matches(labels)
    assert not LabelSelector({"a": "2"}).matches(labels)
    for requirement, wanted in (
        (Requirement("a", "In", ("1", "3")), True),
        (Requirement("a", "NotIn", ("1",)), False),
        (Requirement("c", "NotIn", ("1",)), True),
        (Requirement("c", "Exists"), False),
        (Requirement("c", "DoesNotExist"), True),
        (Requirement("c", "In", ("1",)), False),
    ):
        assert LabelSelector({}, (requirement,)).matches(labels) is wanted


def record(spec: str) -> str:
    head = "apiVersion: ingress.operator.openshift.io/v1\nkind: DNSRecord"
    return f"{head}\nmetadata: {{name: apps-wildcard}}\nspec: {spec}\n"


def test_dns_record() -> None:
    found = good(
        record("{dnsName: '*.apps.test.', recordType: A, targets: [192.0.2.1], recordTTL: 0}")
    )
    assert (found.dns_name, found.record_ttl) == ("*.apps.test.", 30)
    found = good(record("{dnsName: '*.e.test.', recordType: CNAME, targets: [h.e.test.]}"))
    assert found.targets == ("h.e.test.",)


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ("{recordType: A, targets: [192.0.2.1]}", "spec.dnsName"),
        ("{dnsName: a.*.test, recordType: A, targets: [192.0.2.1]}", "spec.dnsName"),
        ("{dnsName: a.test, recordType: MX, targets: [192.0.2.1]}", "spec.recordType"),
        ("{dnsName: a.test, recordType: A, targets: []}", "spec.targets"),
        ("{dnsName: a.test, recordType: A, targets: ['2001:db8::1']}", "spec.targets"),
        ("{dnsName: a.test, recordType: AAAA, targets: [192.0.2.1]}", "spec.targets"),
        ("{dnsName: a.test, recordType: CNAME, targets: [b.test, c.test]}", "spec.targets"),
        ("{dnsName: a.test, recordType: CNAME, targets: ['*.b.test']}", "spec.targets"),
        (
            "{dnsName: a.test, recordType: A, targets: [192.0.2.1], recordTTL: -1}",
            "spec.recordTTL",
        ),
    ],
)
def test_dns_record_rules(spec: str, field: str) -> None:
    assert fault(record(spec))[0] == field


def test_dns_and_its_namesakes() -> None:
    text = "apiVersion: {}/v1\nkind: DNS\nmetadata: {{name: cluster}}\n"
    text += "spec: {{baseDomain: lab.test.}}\n"
    assert good(text.format("config.openshift.io")).base_domain == "lab.test"
    assert read(text.format("operator.openshift.io")).entries == ()


def secret(body: str) -> str:
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{body}\n"


def test_secrets_are_decoded_lazily_and_never_shown() -> None:
    found = good(secret("data: {a: aGFsbG8=, b: eA==}\nstringData: {b: plain-text, c: ü}"))
    assert dict(found.data) == {"a": b"hallo", "b": b"plain-text", "c": "ü".encode()}
    assert len(found.data) == 3
    for hidden in ("hallo", "aGFsbG8", "plain-text"):
        assert hidden not in repr(found)
        assert hidden not in str(found)
    with pytest.raises(KeyError):
        found.data["nothing"]


@pytest.mark.parametrize(
    "body",
    [
        "data: {a: !!int hunter2}",
        "data: {a: hunter2!}",
        "data: {a: hunter2}",
        "data: {a: 1234567}",
        "stringData: {a: 1234567}",
    ],
)
def test_bad_secrets_are_refused_without_being_shown(body: str) -> None:
    (problem,) = problems(secret(body))
    assert problem.field.endswith(".a")
    assert "hunter2" not in problem.message
    assert "1234567" not in problem.message


def test_a_tls_secret_needs_its_keys() -> None:
    found = [each.field for each in problems(secret("type: kubernetes.io/tls"))]
    assert found == ["data['tls.crt']", "data['tls.key']"]


def test_the_copy_of_a_secret_in_its_annotations_is_dropped() -> None:
    key = "kubectl.kubernetes.io/last-applied-configuration"
    text = secret("").replace("{name: s}", f"{{name: s, annotations: {{{key}: hunter2, a: b}}}}")
    assert good(text).meta.annotations == {"a": "b"}


def test_config_map_namespace_node() -> None:
    found = good("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n")
    assert found.data == {"a": "b"}
    found = good("apiVersion: v1\nkind: Namespace\nmetadata: {name: n, labels: {a: b}}\n")
    assert (found.meta.key, found.meta.labels) == (("", "n"), {"a": "b"})
    found = good("""
        apiVersion: v1
        kind: Node
        metadata: {name: node-1}
        spec: {podCIDR: 10.128.0.0/24, unschedulable: true}
        status:
          addresses: [{type: Hostname, address: node-1}, {type: InternalIP, address: 10.0.0.1}]
          conditions: [{type: Ready, status: "False"}]
    """)
    assert (found.internal_ip, found.ready, found.unschedulable) == ("10.0.0.1", False, True)
    assert found.pod_cidrs == ("10.128.0.0/24",)


def pod(body: str) -> str:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\n{body}\n"


def test_pods() -> None:
    found = good("""
        apiVersion: v1
        kind: Pod
        metadata: {name: p, deletionTimestamp: 2024-05-31T12:00:00Z}
        spec:
          nodeName: node-1
          containers:
          - name: web
            image: web:1
            command: [serve]
            args: ["--port", "8080"]
            env: [{name: A, value: b}, {name: S, valueFrom: {secretKeyRef: {name: s, key: k}}}]
            ports:
            - {name: http, containerPort: 8080}
            - {name: dns, containerPort: 53, protocol: UDP}
        status:
          phase: Running
          podIP: 10.128.0.7
          podIPs: [{ip: 10.128.0.7}, {ip: 2001:db8::7}]
          conditions: [{type: Ready, status: "True"}]
    """)
    assert found.pod_ips == ("10.128.0.7", "2001:db8::7")
    assert found.ready
    assert found.terminating
    assert found.find_port("http") == 8080
    assert found.find_port("dns") is None
    assert found.find_port("dns", "UDP") == 53
    assert found.containers[0].env == {"A": "b"}


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ("{}", True),
        ("{phase: Running}", True),
        ("{phase: Pending}", False),
        ("{phase: Running, conditions: [{type: Ready, status: 'False'}]}", False),
        ("{phase: Running, conditions: [{type: PodScheduled, status: 'True'}]}", True),
    ],
)
def test_pods_are_ready_by_condition_else_by_phase(status: str, ready: bool) -> None:
    assert good(pod(f"status: {status}")).ready is ready


def test_endpoint_slices() -> None:
    found = good("""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: web-abc, labels: {kubernetes.io/service-name: web}}
        addressType: IPv4
        endpoints:
        - addresses: [10.0.0.1]
          nodeName: node-1
          zone: a
          targetRef: {kind: Pod, name: web-1}
        - {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}}
        - {addresses: [10.0.0.3], conditions: {ready: false}}
        ports: [{name: http, port: 8080}, {name: '', protocol: UDP}]
    """)
    assert found.service_name == "web"
    states = [(each.ready, each.serving, each.terminating) for each in found.endpoints]
    assert states == [(True, True, False), (False, True, True), (False, False, False)]
    assert [each.port for each in found.ports] == [8080, None]
    assert found.endpoints[0].target == "web-1"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("endpoints: []", "addressType"),
        ("addressType: IPv4\nendpoints: [{addresses: []}]", "endpoints[0].addresses"),
        ("addressType: IPv4\nendpoints: [{addresses: ['::1']}]", "endpoints[0].addresses"),
        ("addressType: IPv4\nports: [{port: 99999}]", "ports[0].port"),
        (
            "addressType: IPv4\nendpoints: [{addresses: [10.0.0.1], conditions: {ready: 'yes'}}]",
            "endpoints[0].conditions.ready",
        ),
    ],
)
def test_endpoint_slice_rules(body: str, field: str) -> None:
    head = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\n"
    assert fault(f"{head}{body}\n")[0] == field


def test_endpoints() -> None:
    found = good("""
        apiVersion: v1
        kind: Endpoints
        metadata: {name: web}
        subsets:
        - addresses: [{ip: 10.0.0.1, nodeName: n, targetRef: {name: web-1}}]
          notReadyAddresses: [{ip: 10.0.0.2}]
          ports: [{name: http, port: 8080}]
    """)
    assert found.subsets[0].addresses[0].target == "web-1"
    text = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{}]}]\n"
    assert fault(text)[0] == "subsets[0].addresses[0].ip"
