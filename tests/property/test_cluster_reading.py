"""Whatever a file holds: no error, a file and a line on every problem, and the same each time."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_cluster import codec
from podway_cluster.kinds import KINDS
from podway_cluster.objects import Content, Place, read_file
from podway_cluster.parse.documents import Document, documents
from podway_cluster.parse.durations import seconds
from podway_cluster.parse.fields import spell
from podway_cluster.parse.scalars import resolve

_FEW = settings(max_examples=60, deadline=None)

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What ends a line in YAML 1.1."""


class _Dumper(yaml.CSafeDumper):
    """Quotes what the cluster's tools read as a number though PyYAML does not: `0E0`, `0o17`."""


_Dumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(0o?[0-7]+|\.?[0-9][0-9.]*([eE][-+]?[0-9]+)?)"),
    list("-+.0123456789"),
)

_KEYS = st.sampled_from([
    "metadata", "name", "namespace", "labels", "annotations", "spec", "status", "host", "path",
    "to", "weight", "alternateBackends", "port", "ports", "targetPort", "tls", "termination",
    "key", "wildcardPolicy", "httpHeaders", "actions", "request", "action", "set", "value",
    "selector", "type", "clusterIP", "data", "stringData", "rules", "http", "paths", "backend",
    "service", "endpoints", "addresses", "conditions", "ready", "subsets", "containers", "podIP",
    "tuningOptions", "clientTimeout", "dnsName", "recordType", "targets", "baseDomain", "items",
    "addressType", "creationTimestamp", "loadBalancer", "ingress", "matchExpressions", "number",
    "externalCertificate", "routeSelector", "logging", "access", "destination",
])  # fmt: skip
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["web", "a.test", "/", "edge", "80", "10.0.0.1", "30s", "A", "Set", "IPv4"]),
)
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_KEYS | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=25,
)
_KIND = st.sampled_from([(kind.api_version, kind.name) for kind in KINDS.values()])


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    api_version, kind = draw(_KIND)
    tree = draw(st.dictionaries(_KEYS, _TREES, max_size=5))
    name = draw(st.sampled_from(["a", "b", "B"]))
    metadata = {
        **(tree["metadata"] if isinstance(tree.get("metadata"), dict) else {}),
        "name": name,
    }
    return {**tree, "apiVersion": api_version, "kind": kind, "metadata": metadata}


def read(content: bytes, name: str = "f.yaml") -> Content:
    found = read_file(content, Place(0, name, f"dir/{name}"))
    lines = len(_BREAK.findall(content.decode(errors="replace"))) + 1
    for problem in found.problems:
        assert problem.file == f"dir/{name}"
        assert 1 <= problem.line <= lines
        assert problem.message
        assert str(problem).startswith(f"dir/{name}:{problem.line}: ")
    for entry in found.entries:
        assert 1 <= entry.origin.line <= lines
    bad = [entry for entry in found.entries if entry.value is None]
    assert not bad or found.problems
    return found


@given(st.binary(max_size=200))
@_FEW
def test_garbage_never_raises(content: bytes) -> None:
    read(content)
    read(content, "f.json")


@given(st.text(alphabet="a:- \n[]{}&*|>'\"#%!?,<0\t~", max_size=80))
@_FEW
def test_yaml_like_garbage_never_raises(text: str) -> None:
    read(text.encode())


@given(objects())
@_FEW
def test_any_tree_is_read_alike_from_yaml_and_json(tree: dict[str, Any]) -> None:
    as_json = read(json.dumps(tree, indent=1).encode(), "f.json")
    as_yaml = read(yaml.dump(tree, Dumper=_Dumper, allow_unicode=True).encode())
    assert [entry.identity for entry in as_json.entries] == [e.identity for e in as_yaml.entries]
    fields = [(problem.field, problem.message) for problem in as_json.problems]
    assert sorted(fields) == sorted((each.field, each.message) for each in as_yaml.problems)


@given(_TREES)
@_FEW
def test_data_is_what_pyyaml_reads(tree: Any) -> None:
    text = yaml.dump(tree, Dumper=_Dumper, allow_unicode=True)
    found = list(documents(text.encode(), is_json=False))
    assert all(isinstance(each, Document) for each in found)
    data = [each.data for each in found if isinstance(each, Document)]
    assert data == ([] if tree is None else [tree])


@given(st.lists(objects(), max_size=4), st.randoms(use_true_random=False))
@_FEW
def test_a_document_does_not_depend_on_its_neighbours(
    trees: list[dict[str, Any]], random: Any
) -> None:
    def shown(order: list[dict[str, Any]]) -> list[tuple[object, ...]]:
        text = "---\n".join(yaml.dump(tree, Dumper=_Dumper) for tree in order)
        found = read(text.encode())
        return sorted((entry.identity, entry.value is None) for entry in found.entries)

    before = shown(trees)
    random.shuffle(trees)
    assert shown(trees) == before


@given(st.lists(objects(), min_size=1, max_size=3))
@_FEW
def test_a_list_is_its_items(trees: list[dict[str, Any]]) -> None:
    apart = read(yaml.dump_all(trees, Dumper=_Dumper).encode())
    whole = {"apiVersion": "v1", "kind": "List", "items": trees}
    together = read(yaml.dump(whole, Dumper=_Dumper).encode())
    assert [each.identity for each in together.entries] == [e.identity for e in apart.entries]
    assert [each.message for each in together.problems] == [e.message for e in apart.problems]


@given(st.text(max_size=20))
@_FEW
def test_words_and_durations_never_raise(text: str) -> None:
    resolve(text)
    seconds(text)


@given(st.lists(st.text(max_size=3) | st.integers(0, 9), max_size=5))
def test_paths_are_spelled(path: list[str | int]) -> None:
    spell(tuple(path))


@given(objects())
@settings(max_examples=60, deadline=None)
def test_objects_survive_the_codec(tree: dict[str, Any]) -> None:
    entries = read(json.dumps(tree).encode(), "f.json").entries
    made = [(Place(1, "f", "d/f"), entry.value) for entry in entries if entry.value]
    again = codec.decode(codec.encode(made))
    assert again == made
    assert [type(value) for _, value in again] == [type(value) for _, value in made]


@given(st.binary(max_size=60) | st.recursive(_SCALARS, st.lists, max_leaves=8).map(
    lambda value: json.dumps(value).encode()))  # fmt: skip
@_FEW
def test_the_codec_takes_any_bytes(data: bytes) -> None:
    assert isinstance(codec.decode(data), list)
