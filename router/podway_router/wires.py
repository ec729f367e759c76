"""How reencrypt Routes' pods are spoken to: contexts and pools, one per set of TLS parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from podway_proxy.http.pool import Pool
from podway_proxy.http.secure import Wire
from podway_proxy.limits import DEFAULT
from podway_proxy.tls.names import mismatch
from podway_router.entry import CA

if TYPE_CHECKING:
    from podway_proxy.plane.plane import Plane
    from podway_proxy.tls.contexts import Contexts
    from podway_proxy.tls.stream import TlsStream
    from podway_router.ways import Map, Way


class Parameters(NamedTuple):
    """What tells two ways of speaking TLS to pods apart."""

    server_name: str
    ca: str
    pod_names: tuple[str, ...]


class Wires:
    """Made when a Route first needs them, dropped when none does any more."""

    def __init__(self, plane: Plane, contexts: Contexts, current: Callable[[], Map]) -> None:
        self._plane = plane
        self._contexts = contexts
        self._current = current
        self._kept: dict[Parameters, Wire] = {}

    def of(self, way: Way) -> Wire:
        """Give the wire of a Route that is to be spoken to inside TLS."""
        key = parameters(way)
        found = self._kept.get(key)
        return found if found is not None else self._make(key)

    def tidy(self, current: Map, changed: Collection[str]) -> None:
        """Close the kept connections of parameters that no Route has any more."""
        if not self._kept:
            return
        every = (way for way in current.ways.values() if way.entry.server_name)
        trust_changed = any(key.startswith(CA) for key in changed)
        wanted = set() if trust_changed else {parameters(way) for way in every}
        for key in self._kept.keys() - wanted:
            self._kept.pop(key).pool.close()

    def _make(self, key: Parameters) -> Wire:
        ca: str = self._current().entries.get(CA + key.ca, "")
        pool = Pool(self._plane, DEFAULT.pool_per_endpoint, DEFAULT.pool_idle_timeout)

        def accepts(stream: TlsStream) -> str:
            return name_fault(stream, key.pod_names)

        wire = Wire(self._contexts.client(ca), key.server_name, accepts, pool)
        self._kept[key] = wire
        return wire


def parameters(way: Way) -> Parameters:
    """Give a reencrypt Route's TLS parameters."""
    entry = way.entry
    return Parameters(entry.server_name, entry.ca, tuple(entry.pod_names or ()))


def name_fault(stream: TlsStream, names: tuple[str, ...]) -> str:
    """Say why a pod's certificate is for somebody else; empty when it is not (`names` empty)."""
    peer: Any = (stream.getpeercert() if names else None) or {}
    return mismatch(peer, names)
