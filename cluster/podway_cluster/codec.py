"""Objects to bytes and back, by the types of their fields.

What a loader holds in memory must outlive it: the master keeps these bytes and hands them to the
next loader. Not pickle, so that bytes from another version of the code are refused, not run.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import UnionType
from typing import Any

from .model import Object, SecretData
from .model.meta import Hidden
from .objects import Place
from .parse.builder import Json

_KINDS: dict[str, Any] = {each.__name__: each for each in typing.get_args(Object)}


def encode(held: Iterable[tuple[Place, Object]]) -> bytes:
    """Give the bytes from which `decode` makes the same objects and the places that claim them."""
    found = [
        [each.meta.kind, _shape(_KINDS[each.meta.kind]), _plain(place), _plain(each)]
        for place, each in held
    ]
    return json.dumps(found, separators=(",", ":")).encode()


def decode(data: bytes) -> list[tuple[Place, Object]]:
    """Give the objects; those that another version of the code wrote differently are left out.

    Bytes that `encode` did not write give no object, and no error: they only ever stand in for
    something better.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return []
    entries = found if isinstance(found, list) else []
    return [made for made in map(_decode_one, entries) if made is not None]


def _decode_one(entry: Json) -> tuple[Place, Object] | None:
    try:
        kind, shape, place, value = entry
        made: Object = _maker(_KINDS[kind])(value)
        at: Place = _maker(Place)(place)
    except (KeyError, TypeError, ValueError):
        return None
    return (at, made) if shape == _shape(_KINDS[kind]) else None


def _plain(value: Any) -> Json:
    if isinstance(value, SecretData):
        return [dict(part) for part in value.stored]
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return str(value) if isinstance(value, Hidden) else value


@cache
def _shape(kind: Any) -> list[Json]:
    """Give the names of a class's fields, with those of the classes inside."""
    hints = typing.get_type_hints(kind)
    inside = {each for hint in hints.values() for each in _classes(hint)}
    shapes = [_shape(each) for each in sorted(inside, key=lambda each: str(each.__name__))]
    return [list(hints), shapes]


def _classes(hint: Any) -> Iterable[Any]:
    if hasattr(hint, "_fields"):
        yield hint
    for each in typing.get_args(hint):
        yield from _classes(each)


@cache
def _maker(hint: Any) -> Callable[[Json], Any]:
    """Give the function that makes a value of this type from what `_plain` made of it."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if hint is SecretData:
        return lambda value: SecretData(*value)
    if hasattr(hint, "_fields"):
        return _class_maker(hint)
    if origin is tuple:
        each = _maker(inside[0])
        return lambda value: tuple(each(part) for part in value)
    if origin is UnionType:
        return _union_maker(inside)
    if hint is Hidden:
        return Hidden
    wanted = dict if origin is Mapping else hint
    return lambda value: _checked(value, wanted)


def _class_maker(kind: Any) -> Callable[[Json], Any]:
    makers = [_maker(hint) for hint in typing.get_type_hints(kind).values()]

    def make(values: Json) -> Any:
        return kind(*(maker(value) for maker, value in zip(makers, values, strict=True)))

    return make


def _union_maker(hints: tuple[Any, ...]) -> Callable[[Json], Any]:
    """Unions here are of plain types and None, or of one class and None."""
    classes = [hint for hint in hints if hasattr(hint, "_fields") or typing.get_origin(hint)]
    scalars = tuple(hint for hint in hints if hint not in classes)
    inner = _maker(classes[0]) if classes else None

    def make(value: Json) -> Any:
        return value if inner is None or isinstance(value, scalars) else inner(value)

    return make


def _checked(value: Json, wanted: Any) -> Any:
    if not isinstance(value, float | int if wanted is float else wanted):
        raise TypeError(f"{value!r} is no {wanted}")
    return value
