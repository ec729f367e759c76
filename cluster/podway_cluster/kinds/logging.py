"""Read `spec.logging.access` of an IngressController."""

from __future__ import annotations

import ipaddress

from ..model.controller import AccessLogging, CapturedCookie, CapturedHeader
from ..parse.fields import Fields
from .names import is_token

_FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"),
    *("uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2"),
    *(f"local{number}" for number in range(8)),
)
_SHORTEST = 480
"""openshift/api: the least maxLength of either destination."""
_LONGEST = {"Syslog": 4096, "Container": 8192}
_MOST_CAPTURED = 1024


def access_logging(access: Fields) -> AccessLogging | None:
    """Read it; None: no access log is asked for."""
    if not access:
        return None
    destination = access.child("destination")
    kind = destination.choice("type", ("Container", "Syslog"), "Container", required=True)
    to_syslog = kind == "Syslog"
    syslog = destination.child("syslog")
    parameters = syslog if to_syslog else destination.child("container")
    headers = access.child("httpCaptureHeaders")
    return AccessLogging(
        destination=kind,
        syslog_address=_address(syslog, required=to_syslog),
        syslog_port=syslog.number("port", 0, 1, 65_535, required=to_syslog),
        syslog_facility=syslog.choice("facility", _FACILITIES, "local1"),
        max_length=parameters.number("maxLength", 1024, _SHORTEST, _LONGEST[kind]),
        http_log_format=access.text("httpLogFormat"),
        log_empty_requests=access.choice("logEmptyRequests", ("Log", "Ignore"), "Log"),
        capture_request=_headers(headers, "request"),
        capture_response=_headers(headers, "response"),
        capture_cookie=_cookie(access),
    )


def _address(syslog: Fields, *, required: bool) -> str:
    address = syslog.text("address", required=required)
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            syslog.problem("address", f"{address[:80]!r} is no IP address")
            return ""
    return address


def _headers(headers: Fields, key: str) -> tuple[CapturedHeader, ...]:
    found = []
    for entry in headers.children(key):
        name = entry.text("name", required=True)
        if name and not is_token(name):
            entry.problem("name", f"{name[:80]!r} is no header name")
            continue
        most = entry.number("maxLength", 0, 1, _MOST_CAPTURED, required=True)
        if name and most:
            found.append(CapturedHeader(name, most))
    return tuple(found)


def _cookie(access: Fields) -> CapturedCookie | None:
    entries = access.children("httpCaptureCookies")
    if len(entries) > 1:
        access.problem("httpCaptureCookies", f"has {len(entries)} entries: one can be captured")
    if not entries:
        return None
    entry = entries[0]
    exact = entry.choice("matchType", ("Exact", "Prefix"), "", required=True) == "Exact"
    key = "name" if exact else "namePrefix"
    name = entry.text(key, required=True)
    if name and not is_token(name):
        entry.problem(key, f"{name[:80]!r} is no cookie name")
        return None
    most = entry.number("maxLength", 0, 1, _MOST_CAPTURED, required=True)
    return CapturedCookie(name, exact, most) if name and most else None
