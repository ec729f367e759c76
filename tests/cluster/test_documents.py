from __future__ import annotations

import json

import pytest

from podway_cluster.parse.builder import Flaw
from podway_cluster.parse.caps import ALIASED_VALUES, DEPTH
from podway_cluster.parse.documents import Document, Unreadable, documents


def read(text: str | bytes, *, is_json: bool = False) -> list[Document | Unreadable]:
    content = text.encode() if isinstance(text, str) else text
    return list(documents(content, is_json=is_json))


def only(text: str, *, is_json: bool = False) -> Document:
    (found,) = read(text, is_json=is_json)
    assert isinstance(found, Document)
    return found


def refused(text: str | bytes, *, is_json: bool = False) -> Unreadable:
    (found,) = read(text, is_json=is_json)
    assert isinstance(found, Unreadable)
    return found


def test_plain_data() -> None:
    text = "a: 1\nb: [x, null, true, 1.5]\nc: {d: 'no', e: \"7\"}\nf: |\n  two\n  lines\n"
    assert only(text).data == {
        "a": 1,
        "b": ["x", None, True, 1.5],
        "c": {"d": "no", "e": "7"},
        "f": "two\nlines\n",
    }


def test_keys_are_texts_as_in_json() -> None:
    assert only("1: a\ntrue: b\nnull: c\n").data == {"1": "a", "true": "b", "null": "c"}


def test_documents_are_cut_apart_and_empty_ones_left_out() -> None:
    head, tail = "# head\n%YAML 1.1\n---\na: 1\n", "# x\n%YAML 1.1\n# y\n---\nc: 3\n...\n"
    text = head + "---\n# nothing\n---\n--- {b: 2}\n...\n" + tail
    assert [each.data for each in read(text) if isinstance(each, Document)] == [
        {"a": 1},
        {"b": 2},
        {"c": 3},
    ]


def test_pem_in_a_block_is_no_separator() -> None:
    text = "key: |\n  -----BEGIN X-----\n  abc\n  -----END X-----\nnext: 1\n"
    assert only(text).data["next"] == 1


def test_a_syntax_error_hides_no_other_document() -> None:
    first, wrong, last = read("a: 1\n---\nb: [\n---\nc: 3\n")
    assert isinstance(first, Document)
    assert isinstance(wrong, Unreadable)
    assert wrong.line in (3, 4)
    assert isinstance(last, Document)
    assert last.line_of(()) == 5


def test_lines_of_fields_are_found() -> None:
    text = "---\n# comment\na:\n  b:\n  - c: 1\n    d: 2\n  - e\nf: |\n  x\n  y\ng: 3\n"
    found = only(text).find_lines({
        (), ("a",), ("a", "b", 0, "d"), ("a", "b", 1), ("g",), ("a", "nothing", "there"), ("f",),
    })  # fmt: skip
    assert found == {
        (): 3,
        ("a",): 3,
        ("a", "b", 0, "d"): 6,
        ("a", "b", 1): 7,
        ("g",): 11,
        ("a", "nothing", "there"): 3,
        ("f",): 8,
    }


def test_items_know_their_lines() -> None:
    document = only("kind: List\nitems:\n- a: 1\n  b: 2\n-\n  c: 1\n")
    assert [document.line_of(("items", at)) for at in (0, 1)] == [3, 6]
    text = json.dumps({"kind": "List", "items": [{"a": 1}, {"b": 2}]}, indent=1)
    document = only(text, is_json=True)
    assert [document.line_of(("items", at)) for at in (0, 1)] == [4, 7]


def test_duplicate_keys_are_flaws_with_their_place() -> None:
    document = only("x:\n  a: 1\n  a: 2\n  b:\n  - c: 1\n    c: 2\n")
    assert [(flaw.path, flaw.line) for flaw in document.flaws] == [
        (("x", "a"), 2),
        (("x", "b", 0, "c"), 5),
    ]
    (flaw,) = only('{"a": 1, "b": {"c": 1, "c": 2}}', is_json=True).flaws
    assert flaw == Flaw((), 0, "the key 'c' is there twice: remove one of the two")


def test_too_many_flaws_make_a_document_unreadable() -> None:
    assert "more than 100 flaws" in refused("a: 1\n" * 102).message
    assert len(only("a: 1\n" * 101).flaws) == 100


def test_lines_are_found_past_aliases() -> None:
    text = "x: &x {a: {b: 1}}\nk: &k w\n*k : f\ny: [*x, {z: 1}]\n"
    found = only(text).find_lines({("y", 1, "z"), ("x", "a", "b")})
    assert found == {("y", 1, "z"): 4, ("x", "a", "b"): 1}


def test_merge_keys_and_aliases() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 5, z: 6}\na: {<<: [*b, *m], x: 3}\nb: *b\n"
    assert only(text).data["a"] == {"x": 3, "y": 2, "z": 6}
    assert only(text).data["b"] == {"x": 1, "y": 2}
    assert only('"<<": {x: 1}\n').data == {"<<": {"x": 1}}
    assert only("<<: 5\n").flaws[0].message.startswith("a merge")


def test_managed_fields_are_not_kept() -> None:
    text = "metadata:\n  managedFields:\n  - {a: {b: [c]}}\n  name: x\n"
    assert only(text).data == {"metadata": {"managedFields": None, "name": "x"}}
    assert only("managedFields: {}\na: 1\n").data == {"managedFields": None, "a": 1}


def test_an_alias_bomb_costs_nothing() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10))
    found = refused("l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n" + levels)
    assert f"more than {ALIASED_VALUES} values" in found.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &a [*a]", "ends before it"),
        ("a: *nowhere", "no anchor &nowhere"),
        ("[" * (DEPTH + 1), f"deeper than {DEPTH}"),
        ("{a: " * 100_000, f"deeper than {DEPTH}"),
        ("a: 'open", "found unexpected end"),
        ("a:\n\tb: 1", ": YAML is indented with spaces, not with tabs"),
        ("\x01", "control characters"),
        (b"a: \xff\n", "save it as UTF-8"),
        ("%YAML 3.0\n---\na: 1", "incompatible"),
    ],
)
def test_what_can_not_be_read(text: str | bytes, says: str) -> None:
    found = [each for each in read(text) if isinstance(each, Unreadable)]
    assert says in found[0].message
    assert found[0].line >= 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "Expecting property name"),
        ("", "Expecting value"),
        ("[" * 100_000, "recursion"),
        ('{"a": NaN}', "NaN is no number"),
        ('"\\ud800"', "half a character"),
        ("9" * 5000, "digits"),
        ("{} {}", "Extra data"),
    ],
)
def test_what_is_no_json(text: str, says: str) -> None:
    assert says in refused(text, is_json=True).message


def test_json_that_is_no_yaml_is_read() -> None:
    assert only('{"a":\t"\\ud83d\\ude00\\/"}', is_json=True).data == {"a": "😀/"}


def test_a_complex_key_is_a_flaw() -> None:
    assert "plain word" in only("? [a, b]\n: c\n").flaws[0].message
    assert "plain word" in only("x: &x {a: 1}\n*x : 1\n").flaws[0].message


def test_a_byte_order_mark_and_crlf_are_fine() -> None:
    assert only("\ufeffa: 1\r\nb: 2\r\n").data == {"a": 1, "b": 2}
