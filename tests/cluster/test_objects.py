from __future__ import annotations

import json

from cluster_reading import PLACE, fault, good, problems, read

from podway_cluster.objects import Place, read_file
from podway_cluster.parse.caps import PROBLEMS

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"


def test_unknown_kinds_and_fields_are_ignored() -> None:
    assert read("apiVersion: apps/v1\nkind: Deployment\nmetadata: {a: 1, a: 2}\n").entries == ()
    assert read("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: 5\n").entries == ()
    assert good(NAMESPACE + "spec: {finalizers: [x]}\nmore: 1\n").meta.name == "a"


def test_lists_and_typed_lists() -> None:
    content = read("""
        apiVersion: v1
        kind: List
        metadata: {resourceVersion: ""}
        items:
        - apiVersion: v1
          kind: Namespace
          metadata: {name: a}
        - apiVersion: v1
          kind: Namespace
          metadata:
            name: B
        - 5
    """)
    assert [entry.identity for entry in content.entries] == [
        ("Namespace", "", "a"),
        ("Namespace", "", "B"),
    ]
    assert [(problem.line, problem.field) for problem in content.problems] == [
        (11, "metadata.name"),
        (12, "items[2]"),
    ]
    assert [entry.origin.line for entry in content.entries] == [5, 8]
    typed = read("apiVersion: v1\nkind: NamespaceList\nitems: [{metadata: {name: a}}]\n")
    assert [entry.identity for entry in typed.entries] == [("Namespace", "", "a")]
    assert typed.problems == ()


def test_json() -> None:
    items = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in "aB"]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)
    content = read_file(text.encode(), Place(0, "a.JSON", "a.JSON"))
    assert [entry.value is None for entry in content.entries] == [False, True]
    assert [(problem.line, problem.field) for problem in content.problems] == [
        (16, "metadata.name")
    ]


def test_what_is_no_object() -> None:
    for text, says in (
        ("just text", "is no object"),
        ("[1, 2]", "is no object"),
        ("replicas: 2\n", "has no apiVersion"),
        ("apiVersion: v1\n", "has no kind"),
        ("apiVersion: 1\nkind: Route\n", "must be a text"),
        ("apiVersion: v1\nkind: [x]\n", "must be a text"),
    ):
        (problem,) = problems(text)
        assert says in problem.message
        assert problem.line in (1, 2)
        assert problem.kind == ""


def test_another_version_of_a_known_kind_is_refused() -> None:
    text = "apiVersion: networking.k8s.io/v1beta1\nkind: IngressClass\nmetadata: {name: a}\n"
    assert fault(text) == ("apiVersion", "networking.k8s.io/v1beta1 is not read: use networking.k8s.io/v1")  # fmt: skip  # noqa: E501 -- the whole sentence


def test_names() -> None:
    (problem,) = problems("apiVersion: v1\nkind: Namespace\nmetadata: {generateName: a-}\n")
    assert "give metadata.name" in problem.message
    (problem,) = problems("apiVersion: v1\nkind: Namespace\nmetadata: {}\n")
    assert problem.field == "metadata.name"
    (problem,) = problems("apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: A_b}\n")
    assert problem.field == "metadata.namespace"
    (problem,) = problems("apiVersion: v1\nkind: Secret\nmetadata: {name: 5}\n")
    assert "put it in quotes" in problem.message


def test_metadata() -> None:
    found = good("""
        apiVersion: v1
        kind: Namespace
        metadata:
          name: a
          labels: {x/y: "1", z: null}
          creationTimestamp: 2024-05-31T12:00:00Z
          uid: 4711-x
    """)
    assert found.meta.labels == {"x/y": "1", "z": ""}
    assert found.meta.creation_timestamp == "2024-05-31T12:00:00.000000Z"
    assert found.meta.order == (0, "objects.yaml", 0)
    text = NAMESPACE.replace("{name: a}", "{name: a, labels: {a.b/c: 'x y'}, creationTimestamp: x}")
    assert [problem.field for problem in problems(text)] == [
        "metadata.labels['a.b/c']",
        "metadata.creationTimestamp",
    ]


def test_duplicate_keys_belong_to_their_object() -> None:
    content = read(NAMESPACE + "---\n" + NAMESPACE.replace("{name: a}", "{name: b,\n name: c}"))
    assert [entry.value is None for entry in content.entries] == [False, True]
    (problem,) = content.problems
    assert str(problem) == (
        "dir/objects.yaml:8: namespace c: metadata.name: "
        "the key 'name' is there twice: remove one of the two"
    )


def test_seniority() -> None:
    def born(time: str, uid: str = "") -> object:
        metadata = f"{{name: a, creationTimestamp: {time or 'null'}, uid: '{uid}'}}"
        return good(NAMESPACE.replace("{name: a}", metadata)).meta.seniority

    ordered = [
        born("2023-01-01T00:00:00Z", "z"),
        born("2024-01-01T00:00:00Z", "a"),
        born("2024-01-01T00:00:00Z", "b"),
        born("", "a"),
    ]
    assert ordered == sorted(ordered)  # type: ignore[type-var]


def test_problems_are_capped() -> None:
    bad = NAMESPACE.replace("name: a", "name: A")
    content = read_file("---\n".join([bad] * (PROBLEMS + 5)).encode(), PLACE)
    assert len(content.problems) == PROBLEMS + 1
    assert "5 more problems" in content.problems[-1].message
    assert [entry.value for entry in content.entries] == [None] * (PROBLEMS + 5)


def test_oc_get_output() -> None:
    found = good("""
        apiVersion: route.openshift.io/v1
        kind: Route
        metadata:
          annotations:
            openshift.io/host.generated: "true"
          creationTimestamp: "2024-05-31T12:00:00Z"
          labels:
            app: simple-webapp-docker
          managedFields:
          - apiVersion: route.openshift.io/v1
            fieldsType: FieldsV1
            fieldsV1:
              f:metadata:
                f:annotations:
                  .: {}
                  f:openshift.io/host.generated: {}
            manager: oc
            operation: Update
            time: "2024-05-31T12:00:00Z"
          name: simple-webapp-docker
          namespace: demo
          resourceVersion: "4711"
          uid: 5d1c63f8-3a63-4b1a-8e0b-b4d5f35c1b54
        spec:
          host: simple-webapp-docker-demo.apps.lab.example.test
          port:
            targetPort: 8080-tcp
          to:
            kind: Service
            name: simple-webapp-docker
            weight: 100
          wildcardPolicy: None
        status:
          ingress:
          - conditions:
            - lastTransitionTime: "2024-05-31T12:00:00Z"
              status: "True"
              type: Admitted
            host: simple-webapp-docker-demo.apps.lab.example.test
            routerName: default
            wildcardPolicy: None
    """)
    assert found.host == "simple-webapp-docker-demo.apps.lab.example.test"
    assert found.target_port == "8080-tcp"
