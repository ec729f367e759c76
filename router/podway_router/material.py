"""What compiling needs besides the objects: the time, and the certificates made here."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import NamedTuple

from podway_router.certificates import Certificate


def nothing(_domain: str) -> Certificate | None:
    """Make no certificate: there is no CA."""
    return None


class Material(NamedTuple):
    """By itself it makes nothing and nothing expires: enough to see who is admitted."""

    now: datetime.datetime | None = None
    wildcard: Callable[[str], Certificate | None] = nothing
    """Gives a certificate for a domain and every name of one label in it."""
    ca: str = ""
    """PEM: who signs what is made here, and by default the pods' certificates (reencrypt)."""


NOTHING = Material()
