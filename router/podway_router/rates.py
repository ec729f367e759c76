"""What a Route's annotations limit: per client, and per pod. Pure.

Numbers are what Go's strconv.Atoi takes, as in OpenShift's template; they go to HAProxy as they
are. How they count is `podway_proxy.limiting`'s affair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

H = "haproxy.router.openshift.io/"
POD = H + "pod-concurrent-connections"
RATES = H + "rate-limit-connections"
PARTS = {"concurrent-tcp": "concurrent", "rate-tcp": "connections", "rate-http": "requests"}
"""What an annotation's name ends in, and the field of `podway_proxy.limiting.clients.Rules`."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


def pod_connections(annotations: Mapping[str, str], warnings: list[str]) -> int:
    """Give how many connections a pod may have at once; 0: as many as come."""
    value = _integer(annotations, POD, warnings)
    return max(value or 0, 0)


def rules(
    annotations: Mapping[str, str], warnings: list[str], *, asked: bool
) -> dict[str, int] | None:
    """Give a client's limits by field, None without any; `asked`: they are switched on."""
    if not asked:
        return None
    found = {}
    for part, field in PARTS.items():
        value = _integer(annotations, f"{RATES}.{part}", warnings)
        if value is not None:
            found[field] = value
            warnings += _nobody(part, value)
    if not any(f"{RATES}.{part}" in annotations for part in PARTS):
        ends = ", ".join(f".{part}" for part in PARTS)
        warnings.append(f"{_field(RATES)}: limits nothing without one of {ends}")
    return found or None


def _nobody(part: str, value: int) -> list[str]:
    """Warn of a limit below which nobody stays."""
    least = 1 if part == "rate-http" else 2
    if value >= least:
        return []
    why = "" if part == "rate-http" else " (the one that comes counts itself)"
    name = f"{RATES}.{part}"
    return [f"{_field(name)}: {value} lets nobody in{why}; the least that does is {least}"]


def _integer(annotations: Mapping[str, str], name: str, warnings: list[str]) -> int | None:
    value = annotations.get(name)
    if value is None:
        return None
    if _INTEGER.fullmatch(value) is None:
        warnings.append(f"{_field(name)}: {value!r} is not an integer")
        return None
    return int(value)


def _field(name: str) -> str:
    return f"metadata.annotations[{name}]"
