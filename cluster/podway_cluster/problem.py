"""What is wrong with an object, said so that it can be put right."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .model.meta import Meta


class Problem(NamedTuple):
    """One thing that is wrong: where, with which object, and what to do."""

    file: str
    line: int
    """Counted from 1."""
    kind: str
    """Empty, like namespace and name, where the trouble is with the file itself."""
    namespace: str
    name: str
    field: str
    """Path of the field, `spec.ports[0].port`; empty where it concerns the whole object."""
    message: str
    """What is wrong and what to do about it."""

    @classmethod
    def about(cls, meta: Meta, field: str, message: str) -> Problem:
        """Say what is wrong with the object that has this metadata."""
        return cls(*meta.origin, meta.kind, meta.namespace, meta.name, field, message)

    @property
    def label(self) -> str:
        """What people call the object: `route shop/web`; empty where it concerns the file."""
        scope = f"{self.namespace}/" if self.namespace and self.name else ""
        return f"{self.kind.lower()} {scope}{self.name}".strip()

    def __str__(self) -> str:
        """Give `file:line: kind namespace/name: field: message`, leaving out what is empty."""
        parts = (f"{self.file}:{self.line}", self.label, self.field, self.message)
        return ": ".join(part for part in parts if part)
