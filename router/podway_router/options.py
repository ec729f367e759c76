"""The router's part of the command line, as a value. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from podway_proxy.values import Address

EVERYWHERE = "0.0.0.0"  # noqa: S104 - HostNetwork routers listen on all of their node's addresses


class Options(NamedTuple):
    """What the loader and the workers go by."""

    names: tuple[str, ...]
    """The IngressControllers to serve."""
    binds: tuple[str, ...] = (EVERYWHERE,)
    http: Address | None = None
    https: Address | None = None
    trusted: tuple[str, ...] = ()
    """CIDRs from which the PROXY header is required; empty: none is taken."""
    external_https_port: int = 443
    allow_loopback: bool = False
    workers: int = 0
    """0: not known, as where no daemon runs."""
    access_log: bool = False
    route_metrics: int = 100
    """Routes with metrics of their own; the others share one."""
    explain: bool = False
    """The router's own answers name the step that failed in a field, too."""
    request_metrics: bool = False
    """Durations and bytes of requests are counted, too."""
    openshift_metrics: bool = False
    """Metrics by the OpenShift router's names, per endpoint as well."""
    client_affinity: bool = False
    """A client's address chooses its worker on the HTTPS ports."""
    ca_directory: str = ""
    """Where the local CA is kept; empty: it ends with the process."""
    slow_start: float = 0.0
    """Seconds over which the share of an endpoint that comes, or comes back, grows; 0: at once."""


def read(values: Mapping[str, Any]) -> Options:
    """Build them from the parsed command line, also when JSON carried it."""
    return Options(
        names=tuple(dict.fromkeys(values["name"])),
        binds=tuple(dict.fromkeys(values["bind"])) or (EVERYWHERE,),
        http=_address(values["http"]),
        https=_address(values["https"]),
        trusted=tuple(values["proxy_protocol"] or ()),
        external_https_port=values["external_https_port"],
        allow_loopback=values["allow_loopback_endpoints"],
        workers=values.get("workers") or 0,
        access_log=values["access_log"],
        explain=bool(values.get("explain")),
        route_metrics=values.get("route_metrics", 100),
        request_metrics=bool(values.get("request_metrics") or values.get("openshift_metrics")),
        openshift_metrics=bool(values.get("openshift_metrics")),
        slow_start=values.get("slow_start") or 0.0,
        client_affinity=values["client_affinity"],
        ca_directory=values.get("ca_dir") or values.get("state_dir") or "",
    )


def networks(text: str) -> list[str]:
    """Parse `CIDR,…`; a bare address is itself. Raises ValueError saying what was expected."""
    import ipaddress  # the command line's only: workers start without it

    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(str(ipaddress.ip_network(part, strict=False)))
        except ValueError:
            raise ValueError(
                f"{part!r}: expected addresses or CIDRs, as in 127.0.4.1,10.0.0.0/8"
            ) from None
    if not found:
        raise ValueError(f"{text!r}: expected at least one address or CIDR")
    return found


def _address(value: tuple[str, int] | list[Any] | None) -> Address | None:
    return None if value is None else (value[0], value[1])
