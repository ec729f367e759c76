"""DNSRecord (ingress.operator.openshift.io/v1) and DNS (config.openshift.io/v1)."""

from __future__ import annotations

from typing import NamedTuple

from .meta import Meta


class DNSRecord(NamedTuple):
    """One DNSRecord: the wildcard name of a shard."""

    meta: Meta
    dns_name: str
    """As written: absolute with its trailing dot, perhaps `*.` in front."""
    record_type: str
    """A, AAAA or CNAME."""
    targets: tuple[str, ...]
    record_ttl: int = 30
    """Seconds; the API's 0 stands for 30."""
    dns_management_policy: str = "Managed"
    """`Managed` or `Unmanaged`."""


class DNS(NamedTuple):
    """The cluster's DNS configuration (cluster-scoped, named `cluster`)."""

    meta: Meta
    base_domain: str
    """The zone that podway-dns is authoritative for, without trailing dot."""
