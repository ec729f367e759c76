"""Read a DNSRecord or the cluster's DNS configuration."""

from __future__ import annotations

from ..model.dns import DNS, DNSRecord
from ..model.meta import Meta
from ..parse.fields import Fields
from .names import host_fault, is_ip, wildcard_host_fault

_DEFAULT_TTL = 30
_MOST_TTL = 2**31 - 1
"""RFC 2181 section 8."""
_ADDRESS_VERSION = {"A": 4, "AAAA": 6}


def read_dns_record(meta: Meta, body: Fields) -> DNSRecord:
    """Read `spec` of a DNSRecord."""
    spec = body.child("spec")
    kind = spec.choice("recordType", ("A", "AAAA", "CNAME"), "", required=True)
    return DNSRecord(
        meta=meta,
        dns_name=_dns_name(spec),
        record_type=kind,
        targets=_targets(spec, kind),
        record_ttl=spec.number("recordTTL", 0, 0, _MOST_TTL) or _DEFAULT_TTL,
        dns_management_policy=spec.choice(
            "dnsManagementPolicy", ("Managed", "Unmanaged"), "Managed"
        ),
    )


def read_dns(meta: Meta, body: Fields) -> DNS:
    """Read `spec` of the cluster's DNS configuration."""
    spec = body.child("spec")
    domain = spec.text("baseDomain", required=True).removesuffix(".")
    fault = host_fault(domain) if domain else ""
    if fault:
        spec.problem("baseDomain", f"{domain[:80]!r} {fault}")
    return DNS(meta, domain)


def _dns_name(spec: Fields) -> str:
    name = spec.text("dnsName", required=True)
    fault = wildcard_host_fault(name.removesuffix(".").lower()) if name else ""
    if fault:
        spec.problem("dnsName", f"{name[:80]!r} {fault}")
    return name


def _targets(spec: Fields, kind: str) -> tuple[str, ...]:
    targets = spec.texts("targets")
    if not targets:
        spec.problem("targets", "is empty: add at least one")
    if kind == "CNAME" and len(targets) > 1:
        spec.problem("targets", "has several entries: a CNAME leads to exactly one name")
    for each in targets:
        fault = _target_fault(each, kind)
        if fault:
            spec.problem("targets", f"{each[:80]!r} {fault}")
    return targets


def _target_fault(target: str, kind: str) -> str:
    version = _ADDRESS_VERSION.get(kind)
    if version is None:
        return host_fault(target.removesuffix(".").lower()) if kind else ""
    return "" if is_ip(target, version) else f"is no IPv{version} address, as {kind} needs"
