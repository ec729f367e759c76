"""Secret, ConfigMap and Namespace (v1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .meta import EMPTY, Meta


class SecretData(Mapping[str, bytes]):
    """A Secret's `data` and `stringData`: decoded when asked for, never shown.

    Equality compares what is stored, so that an unchanged Secret compares equal.
    """

    __slots__ = ("_encoded", "_plain")

    def __init__(
        self, encoded: Mapping[str, str] = EMPTY, plain: Mapping[str, str] = EMPTY
    ) -> None:
        self._encoded = encoded
        self._plain = plain

    def __getitem__(self, key: str) -> bytes:
        """Give the decoded value; `stringData` wins over `data`, as in the cluster."""
        if key in self._plain:
            return self._plain[key].encode()
        from binascii import a2b_base64

        return a2b_base64(self._encoded[key])

    def __iter__(self) -> Iterator[str]:
        """Give the keys."""
        return iter({**self._encoded, **self._plain})

    def __len__(self) -> int:
        """Give the number of keys."""
        return len({**self._encoded, **self._plain})

    def __repr__(self) -> str:
        """Show the keys, never a value."""
        return f"<secret data: {', '.join(self) or 'empty'}>"

    def __eq__(self, other: object) -> bool:
        """Compare without decoding."""
        return isinstance(other, SecretData) and self.stored == other.stored

    def __hash__(self) -> int:
        """Hash by the keys: equal data has equal keys."""
        return hash(frozenset(self))

    @property
    def stored(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """`data` (base64) and `stringData` as they were read: for serialising."""
        return (self._encoded, self._plain)


class Secret(NamedTuple):
    """One Secret."""

    meta: Meta
    type: str = "Opaque"
    data: SecretData = SecretData()


class ConfigMap(NamedTuple):
    """One ConfigMap; `binaryData` is left out (nothing that podway reads is binary)."""

    meta: Meta
    data: Mapping[str, str] = EMPTY


class Namespace(NamedTuple):
    """One Namespace (cluster-scoped): its labels decide about shards."""

    meta: Meta
