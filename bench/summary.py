"""From samples to the document in `latest.json`: medians, and podway's ratio to each peer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from bench.rows import Row, Sample, Scale

OURS = "podway"
Json = dict[str, Any]
VARIANT = "reuse"
"""A peer's name that ends so is the same program, set otherwise; goals are not measured by it."""


def document(
    samples: Mapping[str, Mapping[str, Sequence[Sample]]],
    rows: Sequence[Row],
    versions: Mapping[str, str],
    machine: Mapping[str, str],
    scale: Scale,
    date: str,
) -> Json:
    """Give all that a reader or a chart needs, with every single sample."""
    return {
        "date": date,
        "machine": dict(machine),
        "versions": dict(versions),
        "scale": scale._asdict(),
        "rows": [_row(row, samples[row.name]) for row in rows if samples[row.name]],
    }


def _row(row: Row, samples: Mapping[str, Sequence[Sample]]) -> Json:
    medians = {peer: medians_of(taken) for peer, taken in samples.items()}
    ours = medians.get(OURS)
    ratios = {
        peer: ours[row.main] / figures[row.main]
        for peer, figures in medians.items()
        if ours is not None and peer != OURS and figures[row.main] > 0
    }
    return {
        "name": row.name,
        "title": row.title,
        "unit": row.unit,
        "main": row.main,
        "medians": medians,
        "ratios": ratios,
        "goals": {peer: most for peer in ratios if (most := goal(row.goals, peer)) is not None},
        "goal": row.most,
        "samples": {peer: list(taken) for peer, taken in samples.items()},
    }


def medians_of(taken: Iterable[Sample]) -> Sample:
    """Give the median of each field over the rounds."""
    every = list(taken)
    return {field: median(sample[field] for sample in every) for field in every[0]}


def goal(goals: Mapping[str, float], peer: str) -> float | None:
    """Give the goal for a peer: goals name programs, `HAProxy 2.8` is a haproxy."""
    if peer.endswith(VARIANT):
        return None
    return goals.get(peer.split()[0].lower())
