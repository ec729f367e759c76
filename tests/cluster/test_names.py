from __future__ import annotations

import pytest

from podway_cluster.kinds.names import (
    host_fault,
    is_cidr,
    is_ip,
    is_label,
    is_object_name,
    is_port_name,
    utc,
    wildcard_host_fault,
)


@pytest.mark.parametrize("host", ["a", "web.apps.lab.example.test", "1.2", "a" * 63 + ".x"])
def test_hosts(host: str) -> None:
    assert host_fault(host) == ""


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("*.example.test", "wildcardPolicy"),
        ("a.test.", "remove it"),
        ("Web.test", "write 'web.test'"),
        ("a..test", "empty part"),
        (".test", "empty part"),
        ("a" * 64 + ".test", "64 characters"),
        ("a_b.test", "'a_b'"),
        ("-a.test", "'-a'"),
        ("a-.test", "'a-'"),
        ("a b.test", "'a b'"),
        (".".join(["a" * 60] * 5), "at most 253"),
        ("ä.test", "'ä'"),
    ],
)
def test_what_is_no_host(host: str, says: str) -> None:
    assert says in host_fault(host)


def test_a_wildcard_may_only_lead() -> None:
    assert wildcard_host_fault("*.example.test") == ""
    assert wildcard_host_fault("a.*.test") != ""
    assert wildcard_host_fault("*") != ""


def test_names() -> None:
    assert is_label("web-1")
    assert not is_label("web.1")
    assert not is_label("a" * 64)
    assert is_object_name("web.1-x")
    assert not is_object_name("Web")
    assert not is_object_name("a..b")
    assert is_port_name("8080-tcp")
    assert not is_port_name("8080--tcp")
    assert not is_label("web\n")


def test_addresses() -> None:
    assert is_ip("192.0.2.1")
    assert is_ip("2001:db8::1", 6)
    assert not is_ip("2001:db8::1", 4)
    assert not is_ip("fe80::1%eth0")
    assert not is_ip("192.0.2.01")
    assert is_cidr("192.0.2.0/24")
    assert not is_cidr("192.0.2.0")
    assert not is_cidr("192.0.2.0/33")


def test_times_compare_like_texts() -> None:
    assert utc("2024-05-31T12:00:00Z") < utc("2024-05-31T12:00:00.5Z")
    assert utc("2024-05-31T12:00:00+02:00") == utc("2024-05-31T10:00:00Z")
    assert utc("yesterday") == utc("2024-13-01T00:00:00Z") == ""
    assert utc("0001-01-01T00:00:00+14:00") == ""
