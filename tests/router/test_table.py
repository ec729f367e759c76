from __future__ import annotations

import pytest

from podway_router.table import Row, Table


def find(rows: list[tuple[str, str]], host: str, path: str = "/") -> str | None:
    table = Table(Row(host, path, f"{host}{path}") for host, path in rows)
    return table.find(host, path.encode())


@pytest.mark.parametrize(
    ("route", "request_path", "matches"),
    [
        ("/", "/", True),
        ("/", "/any/where", True),
        ("/sub", "/sub", True),
        ("/sub", "/sub/", True),
        ("/sub", "/sub/x", True),
        ("/sub", "/subpar", False),
        ("/sub", "/SUB", False),
        ("/sub", "/%73ub", False),
        ("/sub/", "/sub/x", True),
        ("/sub/", "/sub/", True),
        ("/sub/", "/sub", False),
        ("/sub", "/", False),
        ("/a/b", "/a", False),
        ("=/sub", "/sub", True),
        ("=/sub", "/sub/", False),
        ("=/sub", "/sub/x", False),
        ("=/", "/", True),
        ("=/", "/x", False),
    ],
)
def test_paths(route: str, request_path: str, matches: bool) -> None:
    assert (find([("h", route)], "h", request_path) is not None) is matches


def test_the_longest_path_wins() -> None:
    rows = [("h", "/"), ("h", "/a"), ("h", "/a/b"), ("h", "/a/b/")]
    assert find(rows, "h", "/a/bc") == "h/a"
    assert find(rows, "h", "/a/b") == "h/a/b"
    assert find(rows, "h", "/a/b/c") == "h/a/b/"
    assert find(rows, "h", "/b") == "h/"


def test_an_exact_path_comes_before_one_that_covers() -> None:
    rows = [("h", "/"), ("h", "/a"), ("h", "=/a"), ("h", "=/b/c")]
    assert find(rows, "h", "/a") == "h=/a"
    assert find(rows, "h", "/a/") == "h/a"
    assert find(rows, "h", "/b/c") == "h=/b/c"
    assert find(rows, "h", "/b/c/d") == "h/"


def test_exact_beats_wildcard_and_a_wildcard_is_one_label() -> None:
    rows = [("*.d.test", "/"), ("a.d.test", "/only")]
    assert find(rows, "a.d.test", "/only/x") == "a.d.test/only"
    assert find(rows, "a.d.test", "/else") == "*.d.test/"
    assert find(rows, "b.d.test") == "*.d.test/"
    assert find(rows, "d.test") is None
    assert find(rows, "x.b.d.test") is None


def test_any_of_a_host() -> None:
    table = Table([Row("a.test", "/x", 1), Row("*.w.test", "/y", 2)])
    assert table.any_of("a.test") == 1
    assert table.any_of("*.w.test") == 2
    assert table.any_of("w.test") is None
    assert Table[int]().any_of("") is None


def test_a_replacement_leaves_the_table_as_it_was() -> None:
    one, two = Row("a.test", "/", 1), Row("a.test", "/x", 2)
    table = Table([one, two])
    moved = table.replaced([one], [Row("b.test", "/", 1), Row("*.c.test", "/", 3)])
    assert (table.find("a.test"), table.find("b.test"), table.find("x.c.test")) == (1, None, None)
    assert (moved.find("a.test"), moved.find("b.test"), moved.find("x.c.test")) == (None, 1, 3)
    assert moved.find("a.test", b"/x") == 2
    assert set(moved.replaced([two], []).hosts()) == {"b.test", "*.c.test"}
    assert table.replaced([], []) is table


def test_a_row_that_changes_hands_is_the_new_owners() -> None:
    table = Table([Row("a.test", "/", 1)])
    assert table.replaced([Row("a.test", "/", 1)], [Row("a.test", "/", 2)]).find("a.test") == 2


def test_a_path_of_many_slashes_costs_one_look_up_per_length() -> None:
    table = Table([Row("h", "/a", 1), Row("h", "/bb", 2)])
    assert table.find("h", b"/" * 20_000) is None
