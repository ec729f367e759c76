"""Annotations that look as if they were for this router and that no router knows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_H, _R = "haproxy.router.openshift.io/", "router.openshift.io/"
_LIMITS = ("rate-limit-connections", "pod-concurrent-connections")
KNOWN = frozenset({
    *(_H + name for name in ("balance", "timeout", "timeout-tunnel", "disable_cookies")),
    *(_H + name for name in ("ip_allowlist", "ip_whitelist", "hsts_header", "rewrite-target")),
    *(_H + name for name in ("set-forwarded-headers", "h1-adjust-case", *_LIMITS)),
    *(f"{_H}{_LIMITS[0]}.{name}" for name in ("concurrent-tcp", "rate-tcp", "rate-http")),
    *(_R + name for name in ("cookie_name", "cookie-same-site", "haproxy.health.check.interval")),
})  # fmt: skip
"""Of a Route (`reference/route-api.md` section 2)."""


def warnings(annotations: Iterable[str]) -> Iterator[str]:
    """Name those that nothing acts on, each with the one that is likely meant."""
    for name in annotations:
        if name.startswith((_H, _R)) and name not in KNOWN:
            yield (
                f"metadata.annotations[{name}]: no router knows an annotation of this name: "
                f"{_advice(name)}"
            )


def _advice(name: str) -> str:
    import difflib  # late: rarely needed

    # What comes before the slash is mistaken as often as what comes behind it.
    last = name.rpartition("/")[2].replace("_", "-").lower()
    by_last = {known.rpartition("/")[2].replace("_", "-"): known for known in KNOWN}
    near = difflib.get_close_matches(last, by_last, 1)
    return f"is {by_last[near[0]]} meant?" if near else "remove it"
