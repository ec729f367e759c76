"""Whether a daemon serves, and if not, why: what `/healthz/ready` and the log say. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from podway_proxy.process.spec import Compiled


class Status(NamedTuple):
    """What the master last said about itself."""

    missing: Mapping[str, str] = {}
    """Listeners that could not be bound, with the reason."""
    bound: tuple[str, ...] = ()
    generations: int = 1
    restarts: int = 0
    stopping: bool = False
    serving: bool = False
    """This loader's generation is complete."""


def why_not(compiled: Compiled | None, status: Status, workers: int) -> str:
    """Give the first reason why this daemon is not ready; empty when it is.

    A listener that came at run time and can't be bound does not make the others unready: one bad
    object never takes the others down. It is told by `notes`.
    """
    if status.stopping:
        return "draining: the daemon is about to stop"
    if compiled is None:
        return "nothing has been loaded yet"
    if not compiled.ready:
        return compiled.why or "nothing to serve"
    if not status.serving:
        return "the workers are starting"
    if workers == 0:
        return "no worker is running"
    serving = [spec for spec in compiled.listeners if not spec.admin]
    if serving and all(spec.key in status.missing for spec in serving):
        return "no listener is bound: " + "; ".join(status.missing.values())
    return ""


def notes(status: Status) -> str:
    """Give what is wrong and does not make the daemon unready."""
    return "".join(f"not bound: {why}\n" for why in status.missing.values())
