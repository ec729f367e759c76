"""From `spec.logging.access` to an entry, and what is wrong with it. Pure; the loader's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podway_cluster import Problem
from podway_cluster.model import IngressController
from podway_router.access.destinations import FACILITIES
from podway_router.access.format import parse
from podway_router.access.naming import server_name
from podway_router.access.settings import AccessEntry
from podway_router.backends import Backends


def access_entry(controller: IngressController) -> AccessEntry | None:
    """Give the entry; None where no log is asked for, or none can be had."""
    asked = controller.access_logging
    if asked is None:
        return None
    syslog = asked.destination == "Syslog"
    if syslog and not (asked.syslog_address and asked.syslog_port):
        return None
    cookie = asked.capture_cookie
    return AccessEntry(
        address=asked.syslog_address if syslog else "",
        port=asked.syslog_port if syslog else 0,
        facility=FACILITIES.index(asked.syslog_facility),
        most=asked.max_length,
        format=asked.http_log_format,
        request=[[one.name, one.max_length] for one in asked.capture_request],
        response=[[one.name, one.max_length] for one in asked.capture_response],
        cookie=None
        if cookie is None
        else [cookie.name + ("=" if cookie.exact else ""), cookie.max_length],
    )


def access_problems(controller: IngressController) -> Iterator[Problem]:
    """Say what of the format is not understood."""
    asked = controller.access_logging
    for fault in parse(asked.http_log_format).faults if asked is not None else ():
        field = "spec.logging.access.httpLogFormat"
        yield Problem.about(controller.meta, field, f"{fault} (it is written as -)")


def watching(controller: IngressController) -> dict[str, Any]:
    """Give the fields of a controller's `ShardEntry` about what the operator sees."""
    access, asked = access_entry(controller), controller.access_logging
    return {
        "access": None if access is None else access._asdict(),
        "ignore_empty": controller.http_empty_requests_policy == "Ignore",
        "log_empty": asked is None or asked.log_empty_requests == "Log",
    }


def servers(controller: IngressController, served: Backends, named: bool) -> dict[str, str] | None:
    """Give the names of a Route's endpoints where a log or metrics want them."""
    if controller.access_logging is None and not named:
        return None
    return {
        f"{host}:{port}": server_name(pod, share.service, port_name, f"{host}:{port}")
        for share in served.shares
        for (host, port, pod), port_name in zip(share.addresses, share.ports, strict=True)
    }
