from __future__ import annotations

import pytest

from podway_cluster.parse.scalars import resolve, tagged


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("Yes", True),
        ("off", False),
        ("0", 0),
        ("-17", -17),
        ("+5", 5),
        ("0x1F", 31),
        ("-0x10", -16),
        ("0o17", 15),
        ("017", 15),
        ("0b101", 5),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
    ],
)
def test_words_that_are_no_texts(word: str, value: object) -> None:
    found = resolve(word)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "word",
    ["None", "y", "n", "8080-tcp", "12:30", "1.2.3.4", "2024-01-01", "1_000", "-", ".", "+",
     "0x", "truE", "9" * 65, "2024-01-01T00:00:00Z", "1h"],
)  # fmt: skip
def test_words_that_stay_texts(word: str) -> None:
    assert resolve(word) == word


def test_an_explicit_tag_is_checked() -> None:
    assert tagged("8080", "tag:yaml.org,2002:str") == "8080"
    assert tagged("8080", "tag:yaml.org,2002:int") == 8080
    assert tagged("x", "!Ref") == "x"
    with pytest.raises(ValueError, match="is not what its tag"):
        tagged("true", "tag:yaml.org,2002:int")
