"""What a plain YAML word means: text, number, truth or nothing.

YAML 1.1 as the cluster's tools read it (sigs.k8s.io/yaml), without the traps of the full type
list: no sexagesimal numbers (`12:30` is a text), no dates (a timestamp is a text, as in JSON).
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,30})")
_OTHER_BASE = re.compile(r"[-+]?0(?:x[0-9a-fA-F]{1,16}|o?[0-7]{1,22}|b[01]{1,64})")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
TELLING = frozenset("~nNtTfFyYoO.+-0123456789")
"""A plain word that begins otherwise is a text."""
_TAGS: dict[str, tuple[type, ...]] = {
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (int, float),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
}
"""What a plain word must come to for these tags (YAML 1.1 types)."""
_LONGEST_NUMBER = 64
"""Longer words are texts: no number of the API has as many digits."""


def resolve(word: str) -> Scalar:
    """Give the value of a plain (unquoted, untagged) word."""
    if word and word[0] not in TELLING:
        return word
    if word in _WORDS:
        return _WORDS[word]
    if len(word) > _LONGEST_NUMBER:
        return word
    if _INTEGER.fullmatch(word):
        return int(word)
    if _OTHER_BASE.fullmatch(word):
        return _other_base(word)
    return float(word) if _FLOAT.fullmatch(word) else word


def tagged(word: str, tag: str) -> Scalar:
    """Give the value of a word with an explicit tag; ValueError where the two do not agree."""
    if tag not in _TAGS:
        return word
    value = resolve(word)
    if type(value) not in _TAGS[tag]:
        raise ValueError(f"the value is not what its tag {tag} says: correct one of the two")
    return value


def _other_base(word: str) -> int:
    digits = word.lstrip("+-")
    plain = "0o" + digits[1:] if digits[1:2].isdigit() else digits
    value = int(plain, 0)
    return -value if word.startswith("-") else value
