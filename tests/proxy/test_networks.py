from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.networks import Networks


def test_both_families_and_mapped_addresses() -> None:
    networks = Networks(["10.0.0.0/8", "2001:db8::/32", "127.0.4.1"])
    assert networks.holds("10.1.2.3")
    assert networks.holds("::ffff:10.1.2.3")
    assert networks.holds("2001:db8::1")
    assert networks.holds("127.0.4.1")
    assert not networks.holds("127.0.4.2")
    assert not networks.holds("11.0.0.1")
    assert not networks.holds("11.0.0.1")


def test_no_network_holds_nobody() -> None:
    assert not Networks([]).holds("127.0.0.1")


@pytest.mark.parametrize("cidr", ["10.0.0.0/33", "10.0.0.0/-1", "all", "10.0.0/8", "::/129"])
def test_what_is_no_network(cidr: str) -> None:
    with pytest.raises((OSError, ValueError)):
        Networks([cidr])


def test_the_memory_of_answers_is_bounded() -> None:
    networks = Networks(["10.0.0.0/8"])
    for number in range(10_000):
        networks.holds(f"10.0.{number >> 8}.{number & 255}")
    assert len(networks._known) <= 4096


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(0, 32))
def test_as_the_standard_library_says(
    host: ipaddress.IPv4Address, base: ipaddress.IPv4Address, length: int
) -> None:
    network = ipaddress.ip_network(f"{base}/{length}", strict=False)
    assert Networks([str(network)]).holds(str(host)) is (host in network)
