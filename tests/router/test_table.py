from __future__ import annotations

import pytest

from podway_router.table import Table


def find(rows: list[tuple[str, str]], host: str, path: str = "/") -> str | None:
    table = Table((host, path, f"{host}{path}") for host, path in rows)
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


def test_exact_beats_wildcard_and_a_wildcard_is_one_label() -> None:
    rows = [("*.d.test", "/"), ("a.d.test", "/only")]
    assert find(rows, "a.d.test", "/only/x") == "a.d.test/only"
    assert find(rows, "a.d.test", "/else") == "*.d.test/"
    assert find(rows, "b.d.test") == "*.d.test/"
    assert find(rows, "d.test") is None
    assert find(rows, "x.b.d.test") is None


def test_knows() -> None:
    table = Table([("a.test", "/x", 1), ("*.w.test", "/y", 2)])
    assert table.knows("a.test")
    assert table.knows("any.w.test")
    assert not table.knows("w.test")
    assert not Table[int]([]).knows("")


def test_a_path_of_many_slashes_costs_one_look_up_per_length() -> None:
    table = Table([("h", "/a", 1), ("h", "/bb", 2)])
    assert table.find("h", b"/" * 20_000) is None
