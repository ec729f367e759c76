"""Which addresses may serve: an object must not lead traffic where the network trusts it blindly.

Whoever may write EndpointSlices could else reach what only the host itself may (server-side request
forgery), so that some addresses are never taken, whatever the objects say.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

_METADATA = frozenset({"169.254.169.254", "fd00:ec2::254", "100.100.100.200"})
"""Where clouds serve credentials: AWS, Azure, GCP, OpenStack; AWS over IPv6; Alibaba."""


@lru_cache(maxsize=65_536)
def address_fault(address: str, *, allow_loopback: bool) -> str:
    """Say why an address may not serve; empty where it may."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return "no IP address"
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback:
        return "" if allow_loopback else "a loopback address (--allow-loopback-endpoints takes it)"
    if str(found) in _METADATA:
        return "the address of a cloud's metadata service"
    if found.is_link_local:
        return "a link-local address"
    if found.is_multicast or str(found) == "255.255.255.255":
        return "a multicast or broadcast address"
    return "the unspecified address" if found.is_unspecified else ""
