"""Annotations that are right by themselves and have no effect on the Route that has them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podway_router.rates import PARTS, RATES

_H, _R = "haproxy.router.openshift.io/", "router.openshift.io/"
_OF_HTTP = frozenset({
    *(_H + name for name in ("disable_cookies", "hsts_header", "rewrite-target")),
    *(_H + name for name in ("set-forwarded-headers", "h1-adjust-case")),
    *(_R + name for name in ("cookie_name", "cookie-same-site")),
    f"{RATES}.rate-http",
})  # fmt: skip
_LIMITS = frozenset(f"{RATES}.{part}" for part in PARTS)
_FALSE = ("false", "f", "0")
_OF_TLS = frozenset({_H + "hsts_header", _R + "cookie-same-site"})


def warnings(annotations: Mapping[str, str], termination: str) -> Iterator[str]:
    """Name them, each with the reason; `termination` is empty for a Route without TLS."""
    for name in annotations:
        if termination == "passthrough" and name in _OF_HTTP:
            yield _said(name, "of a passthrough Route no HTTP is read")
        elif not termination and name in _OF_TLS:
            yield _said(name, "the Route has no TLS")
        elif name in _LIMITS and annotations.get(RATES, "false").lower() in _FALSE:
            yield _said(name, f'it counts beside {RATES}: "true" only')


def _said(name: str, reason: str) -> str:
    return f"metadata.annotations[{name}]: has no effect: {reason}"
