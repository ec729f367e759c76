"""A snapshot to all that serving it needs: entries, listeners, probes, problems. Pure.

Each compilation may go on from the one before: then only what changed is compiled anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from itertools import chain
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from podway_cluster import Problem, Snapshot
from podway_cluster.model import IngressController, Route
from podway_proxy.process.spec import Compiled, Json, ListenerSpec, ProbeSpec
from podway_router import differences, error_pages, heads, ingress, listen, secrets, shard
from podway_router.access.wanted import access_problems, watching
from podway_router.admission import Key
from podway_router.certificates import NOTHING as NO_TLS
from podway_router.certificates import Served
from podway_router.entry import CA, ShardEntry, route_key, shard_key, written
from podway_router.material import NOTHING, Material
from podway_router.options import Options
from podway_router.part import Part, advanced, in_order
from podway_router.probes import all_probes, same_probes
from podway_router.status import RouteStatus

__all__ = ["Compilation", "RouteStatus", "compile_snapshot"]


class Compilation(NamedTuple):
    """The compiled snapshot, and the account of how it came about."""

    compiled: Compiled
    routes: tuple[RouteStatus, ...] = ()
    """By controller, then in the order of reading."""
    snapshot: Snapshot = Snapshot()
    parts: tuple[Part, ...] = ()
    expiring: tuple[tuple[str, float], ...] = ()
    """(`route shop/web`, seconds since 1970) of certificates that expire soon or have expired."""
    ingresses: Mapping[Key, ingress.Converted] = MappingProxyType({})
    texts: Set[str] = frozenset()
    """Keys of the entries of certificates and CAs."""
    certified: secrets.Certified = secrets.Certified()


_PROBLEMS = attrgetter("problems")


def compile_snapshot(
    snapshot: Snapshot,
    options: Options,
    before: Compilation | None = None,
    material: Material = NOTHING,
) -> Compilation:
    """Compile for the controllers that the options name; `before` has been of the same options."""
    snapshot, ingresses = ingress.expanded(snapshot, before.ingresses if before else {})
    every = shard.choose(snapshot.ingress_controllers.values())
    problems = [str(problem) for problem in snapshot.problems]
    chosen = [every[name] for name in options.names if name in every]
    for one in chosen:
        told = (*heads.of_controller(one)[1], *shard.overlooked(one, options.workers))
        problems.extend(str(Problem.about(one.meta, *it)) for it in told)
    specs = [spec for one in chosen for spec in listen.listeners(one, options)]
    why = _not_ready(every, chosen, specs, options, snapshot)
    if why:
        return Compilation(Compiled({}, problems=tuple(problems), ready=False, why=why))
    if before is None or not before.parts:
        before = _nothing(chosen)
    parts, redone, entries = _parts(snapshot, options, chosen, before)
    routes = tuple(chain.from_iterable(part.statuses.values() for part in parts))
    problems.extend(str(problem) for one in chosen for problem in access_problems(one))
    problems.extend(str(it) for one in chosen for it in error_pages.problems(snapshot, one))
    problems.extend(chain.from_iterable(map(_PROBLEMS, routes)))
    ends = secrets.ends(snapshot, chosen, material, entries)
    certified = before.certified
    if not (_same_tls(before, parts, redone) and certified.holds(material.now)):
        certified = secrets.certified(routes, material, entries)
    texts = {**certified.texts, **ends.texts}
    for key in before.texts - texts.keys():
        entries.pop(key, None)
    secrets.put(entries, ends.shards, texts)
    problems.extend((*ends.problems, *certified.problems))
    compiled = Compiled(
        entries=entries,
        listeners=tuple(specs),
        probes=_probes(before, parts, redone, entries),
        problems=tuple(dict.fromkeys(problems)),
    )
    expiring = tuple(dict.fromkeys((*ends.expiring, *certified.expiring)))
    kept = texts.keys()
    return Compilation(compiled, routes, snapshot, parts, expiring, ingresses, kept, certified)


def _nothing(chosen: Iterable[IngressController]) -> Compilation:
    return Compilation(Compiled({}), parts=tuple(Part(one) for one in chosen))


def _parts(
    snapshot: Snapshot,
    options: Options,
    chosen: Collection[IngressController],
    before: Compilation,
) -> tuple[tuple[Part, ...], list[set[Key]], dict[str, Json]]:
    """Decide the Routes of every controller; give the parts, what was redone, and the entries."""
    routes: Mapping[Key, Route] = snapshot.routes
    found = differences.between(before.snapshot, snapshot)
    concerned = differences.concerned(before.snapshot.routes, found)
    if concerned is None:
        before = _nothing(chosen)
    changed = differences.differing(before.snapshot.routes, routes)
    moved = list(before.snapshot.routes) != list(routes)
    pairs = [
        advanced(part, snapshot, routes, changed, (concerned or set()) - changed, options)
        for part in before.parts
    ]
    if moved:
        pairs = [(in_order(part, routes), keys) for part, keys in pairs]
    entries = dict(before.compiled.entries) or _shard_entries(snapshot, chosen)
    for part, keys in pairs:
        _set_entries(entries, part, keys)
    return tuple(part for part, _ in pairs), [keys for _, keys in pairs], entries


def _not_ready(
    every: Mapping[str, IngressController],
    chosen: list[IngressController],
    specs: list[ListenerSpec],
    options: Options,
    snapshot: Snapshot,
) -> str:
    """Say why nothing can be served; empty when it can."""
    missing = [name for name in options.names if name not in every]
    if missing:
        there = f"there are: {', '.join(sorted(every))}"
        if not every:
            there = "there is none at all: is the directory right (--manifests)?"
        wrong = {one.name for one in snapshot.problems if one.kind == "IngressController"}
        if bad := sorted(wrong.intersection(missing)):
            return (
                f"IngressController {', '.join(bad)} can't be used: correct what is wrong with it"
            )
        return f"no IngressController is named {', '.join(missing)}; {there}"
    faults = [listen.disagreement(one, options) for one in chosen] + listen.clashes(specs)
    return "; ".join(filter(None, faults))


def _shard_entries(snapshot: Snapshot, chosen: Iterable[IngressController]) -> dict[str, Json]:
    entries: dict[str, Json] = {}
    for one in chosen:
        policy = one.http_headers.forwarded_header_policy
        forwarded = "if-none" if policy == "IfNone" else policy.lower()
        deferred = one.idle_connection_termination_policy == "Deferred"
        settings = ShardEntry(
            shard.limits(one.tuning_options),
            forwarded,
            deferred,
            compressed=list(one.http_compression_mime_types) or None,
            heads=heads.of_controller(one)[0]._asdict(),
            pages=error_pages.wanted(snapshot, one),
            **watching(one),
        )
        entries[shard_key(one.meta.name)] = written(settings)
    return entries


def _set_entries(entries: dict[str, Json], part: Part, keys: Iterable[Key]) -> None:
    for key in keys:
        name = route_key(part.controller.meta.name, *key)
        status = part.statuses.get(key)
        if status is None or status.entry is None:
            entries.pop(name, None)
        else:
            entries[name] = written(status.entry)


def _same_tls(
    before: Compilation, parts: Iterable[Part], redone: Iterable[Collection[Key]]
) -> bool:
    """Tell whether the Routes that were compiled anew have the certificates that they had."""
    known = {part.controller.meta.name: part.statuses for part in before.parts}
    return all(
        _tls(part.statuses.get(key)) == _tls(known.get(part.controller.meta.name, {}).get(key))
        for part, keys in zip(parts, redone, strict=True)
        for key in keys
    )


def _tls(status: RouteStatus | None) -> Served:
    return status.tls if status is not None else NO_TLS


def _probes(
    before: Compilation,
    parts: Collection[Part],
    redone: Iterable[Collection[Key]],
    entries: Mapping[str, Json],
) -> tuple[ProbeSpec, ...]:
    """Ask for checks where there is a choice; the very same tuple as before where none differs."""
    trusted = before.compiled.entries.get(CA) == entries.get(CA)
    same = before.routes and trusted and same_probes(before.parts, parts, redone)
    return before.compiled.probes if same else all_probes(parts, entries)
