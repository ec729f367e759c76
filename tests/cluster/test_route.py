from __future__ import annotations

import pytest
from cluster_reading import fault, faults, good

from podway_cluster.model.meta import Hidden
from podway_cluster.model.route import HeaderAction, RouteBackend, RouteTls


def route(spec: str) -> str:
    lines = "\n".join("  " + line for line in spec.strip().splitlines())
    head = "apiVersion: route.openshift.io/v1\nkind: Route\nmetadata: {name: web, namespace: shop}"
    return f"{head}\nspec:\n  to: {{name: web}}\n{lines}\n"


def test_the_smallest_route_has_the_defaults() -> None:
    found = good(route(""))
    assert found.meta.label == "route shop/web"
    assert found.to == RouteBackend("web", 100)
    assert (found.host, found.path, found.tls, found.target_port) == ("", "", None, None)
    assert found.wildcard_policy == "None"
    assert found.meta.origin == ("dir/objects.yaml", 1)


def test_all_fields() -> None:
    found = good(
        route("""
host: web.example.test
path: /sub
alternateBackends:
- {kind: Service, name: b, weight: 0}
- {kind: Service, name: c, weight: 256}
port: {targetPort: 8080-tcp}
wildcardPolicy: Subdomain
tls:
  termination: reencrypt
  insecureEdgeTerminationPolicy: Redirect
  certificate: C
  key: K
  caCertificate: A
  destinationCACertificate: D
""")
    )
    assert [each.weight for each in found.backends] == [100, 0, 256]
    assert found.target_port == "8080-tcp"
    assert found.tls == RouteTls("reencrypt", "Redirect", "C", Hidden("K"), "A", "D")
    assert found.wildcard_policy == "Subdomain"


def test_a_key_does_not_show() -> None:
    found = good(route("tls: {key: very-secret, certificate: x}"))
    assert found.tls.key == "very-secret"
    assert "very-secret" not in repr(found)
    assert "12345" not in str(faults(route("tls: {key: 12345, certificate: 12345}")))


@pytest.mark.parametrize("case", ["edge", "Edge", "EDGE", ""])
def test_termination_ignores_case_and_defaults_to_edge(case: str) -> None:
    assert good(route(f"tls: {{termination: '{case}'}}")).tls.termination == "edge"


@pytest.mark.parametrize(
    ("spec", "field", "says"),
    [
        ("host: Web.test", "spec.host", "capital letters"),
        ("host: '*.test'", "spec.host", "wildcardPolicy: Subdomain"),
        ("host: web.test.", "spec.host", "dot"),
        ("host: 8080", "spec.host", "the number 8080, and must be a text: put it in quotes"),
        ("subdomain: a_b", "spec.subdomain", "'a_b'"),
        ("path: sub", "spec.path", "write '/sub'"),
        ("path: /a b", "spec.path", "' '"),
        ("path: '/a#b'", "spec.path", "'#'"),
        ('path: "/a\\tb"', "spec.path", "control"),
        ("path: /x\ntls: {termination: passthrough}", "spec.path", "passthrough"),
        ("alternateBackends: [{name: ''}]", "spec.alternateBackends[0].name", "empty"),
        ("alternateBackends: [{}]", "spec.alternateBackends[0].name", "missing"),
        ("alternateBackends: [x]", "spec.alternateBackends[0]", "must be a mapping"),
        ("alternateBackends: {a: b}", "spec.alternateBackends", "must be a list"),
        (
            "alternateBackends: [{name: a}, {name: b}, {name: c}, {name: d}]",
            "spec.alternateBackends",
            "at most 3",
        ),
        (
            "alternateBackends: [{name: a, weight: 257}]",
            "spec.alternateBackends[0].weight",
            "use 0 to 256",
        ),
        (
            "alternateBackends: [{name: a, weight: -1}]",
            "spec.alternateBackends[0].weight",
            "-1 is out of range",
        ),
        (
            "alternateBackends: [{name: a, kind: Pod}]",
            "spec.alternateBackends[0].kind",
            "use Service",
        ),
        ("port: {}", "spec.port.targetPort", "missing"),
        ("port: {targetPort: 0}", "spec.port.targetPort", "use 1 to 65535"),
        ("port: {targetPort: ''}", "spec.port.targetPort", "port number or a port's name"),
        ("port: {targetPort: [80]}", "spec.port.targetPort", "a list"),
        ("wildcardPolicy: Subdomain", "spec.wildcardPolicy", "needs spec.host"),
        ("wildcardPolicy: All", "spec.wildcardPolicy", "use None or Subdomain"),
        ("tls: {termination: both}", "spec.tls.termination", "edge, passthrough or reencrypt"),
        ("tls: yes", "spec.tls", "must be a mapping"),
        (
            "tls: {insecureEdgeTerminationPolicy: Deny}",
            "spec.tls.insecureEdgeTerminationPolicy",
            "None, Allow or Redirect",
        ),
        (
            "tls: {termination: passthrough, insecureEdgeTerminationPolicy: Allow}",
            "spec.tls.insecureEdgeTerminationPolicy",
            "use None or Redirect",
        ),
        ("tls: {termination: passthrough, certificate: x}", "spec.tls.certificate", "remove"),
        ("tls: {termination: passthrough, key: x}", "spec.tls.key", "remove"),
        ("tls: {termination: passthrough, caCertificate: x}", "spec.tls.caCertificate", "remove"),
        (
            "tls: {termination: passthrough, destinationCACertificate: x}",
            "spec.tls.destinationCACertificate",
            "remove",
        ),
        (
            "tls: {termination: passthrough, externalCertificate: {name: x}}",
            "spec.tls.externalCertificate",
            "remove",
        ),
        (
            "tls: {termination: edge, destinationCACertificate: x}",
            "spec.tls.destinationCACertificate",
            "reencrypt only",
        ),
        (
            "tls: {certificate: x, externalCertificate: {name: x}}",
            "spec.tls.externalCertificate",
            "keep one",
        ),
        (
            "tls: {termination: passthrough}\nhttpHeaders: {actions: {request: []}}",
            "spec.httpHeaders",
            "passthrough",
        ),
    ],
)
def test_rules(spec: str, field: str, says: str) -> None:
    found_field, message = fault(route(spec))
    assert found_field == field
    assert says in message


def test_passthrough_with_nothing_forbidden() -> None:
    tls = "tls: {termination: passthrough, insecureEdgeTerminationPolicy: Redirect, key: ''}"
    assert good(route(tls)).tls.insecure_edge_termination_policy == "Redirect"


def test_all_faults_are_found_in_one_pass() -> None:
    found = faults(route("host: A\npath: b\nport: {targetPort: 0}\nwildcardPolicy: x"))
    assert [field for field, _ in found] == [
        "spec.host", "spec.path", "spec.port.targetPort", "spec.wildcardPolicy",
    ]  # fmt: skip


def header(action: str, side: str = "request") -> str:
    return route(f"httpHeaders: {{actions: {{{side}: [{action}]}}}}")


def test_header_actions() -> None:
    value = "%{+Q,-X}[req.hdr(Host),base64,lower] 100%% %[ssl_c_der]"
    found = good(header(f"{{name: X-A, action: {{type: Set, set: {{value: '{value}'}}}}}}"))
    assert found.http_headers.request == (HeaderAction("X-A", "Set", value),)
    found = good(header("{name: X-A, action: {type: Delete}}", "response"))
    assert found.http_headers.response == (HeaderAction("X-A", "Delete"),)


@pytest.mark.parametrize(
    ("action", "field", "says"),
    [
        ("{name: Set-Cookie, action: {type: Delete}}", "name", "may not be changed"),
        ("{name: 'a b', action: {type: Delete}}", "name", "no header name"),
        ("{name: a, action: {type: Add}}", "action.type", "Set or Delete"),
        ("{name: a, action: {}}", "action.type", "missing"),
        ("{name: a, action: {type: Set}}", "action.set.value", "missing"),
        ("{name: a, action: {type: Delete, set: {value: b}}}", "action.set", "Set only"),
        ("{name: a, action: {type: Set, set: {value: '%[req.fhdr(a)]'}}}", "action.set", "%%"),
        ("{name: a, action: {type: Set, set: {value: '%[ssl_c_der,hex]'}}}", "action.set", "%%"),
        ("{name: a, action: {type: Set, set: {value: '%{+Z}[ssl_c_der]'}}}", "action.set", "%%"),
        ("{name: a, action: {type: Set, set: {value: '50%'}}}", "action.set", "%%"),
        (
            "{name: a, action: {type: Set, set: {value: '%[res.hdr(a)]'}}}",
            "action.set",
            "req.hdr",
        ),
    ],
)
def test_header_action_rules(action: str, field: str, says: str) -> None:
    found, message = fault(header(action))
    assert found == f"spec.httpHeaders.actions.request[0].{field}"
    assert says in message


def test_header_names_are_unique_and_few() -> None:
    same = "{name: X-A, action: {type: Delete}}, {name: X-A, action: {type: Delete}}"
    assert "twice" in fault(header(same))[1]
    differing = "{name: X-A, action: {type: Delete}}, {name: x-a, action: {type: Delete}}"
    assert len(good(header(differing)).http_headers.request) == 2  # as the API has it
    many = ", ".join(f"{{name: x{n}, action: {{type: Delete}}}}" for n in range(21))
    assert "at most 20" in fault(header(many))[1]
