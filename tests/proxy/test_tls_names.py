from __future__ import annotations

import pytest

from podway_proxy.tls.names import Patterns, covers, dns_names, pattern_fault, subject

PEER = {
    "subject": (
        (("countryName", "DE"),),
        (("organizationName", "Shop"), ("organizationalUnitName", "Till")),
        (("commonName", "alice"),),
        (("emailAddress", "a@shop.test"),),
    ),
    "subjectAltName": (("DNS", "A.t"), ("IP Address", "127.0.0.1"), ("DNS", "*.b.t")),
}


@pytest.mark.parametrize(
    ("host", "covered"),
    [("a.t", True), ("x.b.t", True), ("b.t", False), ("x.y.b.t", False), ("", False)],
)
def test_hosts_of_a_certificate(host: str, covered: bool) -> None:
    assert covers(dns_names(PEER), host) is covered


def test_a_wildcard_host_needs_the_very_wildcard() -> None:
    assert covers(["*.b.t"], "*.b.t")
    assert not covers(["x.b.t"], "*.b.t")


def test_a_subject_in_openssls_short_names() -> None:
    assert subject(PEER) == "/C=DE/O=Shop/OU=Till/CN=alice/emailAddress=a@shop.test"
    assert subject({}) == ""


def test_patterns() -> None:
    assert Patterns(()).allow("")
    some = Patterns(["^/CN=alice$", "O=Shop"])
    assert some.allow("/CN=alice")
    assert some.allow("/C=DE/O=Shop/CN=x")
    assert not some.allow("/CN=alice2")
    assert not some.allow("")


def test_a_broken_pattern_matches_nothing_and_says_why() -> None:
    assert "is no regular expression" in pattern_fault("(")
    assert pattern_fault("^a$") == ""
    assert not Patterns(["("]).allow("(")
