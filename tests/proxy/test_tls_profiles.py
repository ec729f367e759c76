from __future__ import annotations

import ssl

import pytest

from podway_proxy.tls import profiles
from podway_proxy.tls.contexts import Contexts, Terms, client_context, server_context
from podway_proxy.tls.profiles import TLS13, Profile, custom_faults, profile


def leaf() -> str:
    from tls_rig import Ca

    return Ca().leaf("a.t")


@pytest.mark.parametrize(
    ("kind", "lowest"), [("Old", "TLSv1"), ("Intermediate", "TLSv1_2"), ("Modern", "TLSv1_3")]
)
def test_named_profiles_load_into_openssl(kind: str, lowest: str) -> None:
    made = profile(kind)
    assert made.lowest == lowest
    context = server_context(leaf(), Terms(made))
    assert context.minimum_version == ssl.TLSVersion[lowest]
    offered = {cipher["name"] for cipher in context.get_ciphers()}
    wanted = {name for name in made.ciphers.split(":") if not name.startswith("@")}
    assert wanted - offered <= {"DES-CBC3-SHA"}  # Debian's OpenSSL is built without it


def test_a_custom_profile() -> None:
    made = profile("Custom", ["ECDHE-RSA-AES128-GCM-SHA256", TLS13[0]], "VersionTLS12")
    assert made == Profile("TLSv1_2", "ECDHE-RSA-AES128-GCM-SHA256")
    assert profile("Custom", [], "VersionTLS13").lowest == "TLSv1_3"
    assert profile("Custom", ["AES128-SHA"], "VersionTLS10").ciphers.endswith(profiles.WEAK)


def test_what_a_custom_profile_cannot_have() -> None:
    known = frozenset(("AES128-SHA",))
    assert custom_faults(["AES128-SHA", *TLS13], known) == ()
    (unknown,) = custom_faults(["AES128-SHA", "NONE-SUCH"], known)
    assert "'NONE-SUCH' is no cipher" in unknown
    (suites,) = custom_faults([TLS13[0]], known)
    assert "can't be chosen one by one" in suites


def test_contexts_are_kept_by_certificate_and_terms_and_the_oldest_goes() -> None:
    pem = leaf()
    kept = Contexts(most=2)
    first = kept.server("one", lambda: pem, Terms())
    assert kept.server("one", lambda: "not read again", Terms()) is first
    assert kept.server("one", lambda: pem, Terms(clients="Optional")) is not first
    kept.server("one", lambda: pem, Terms())
    kept.client("")
    assert len(kept) == 2
    assert kept.server("one", lambda: "not read again", Terms()) is first


def test_a_key_that_openssl_refuses_is_an_error_and_is_not_kept() -> None:
    kept = Contexts()
    with pytest.raises(OSError, match=r"PEM|SSL"):
        kept.server("one", lambda: "garbage", Terms())
    assert len(kept) == 0


def test_without_a_ca_no_client_is_accepted() -> None:
    context = server_context(leaf(), Terms(clients="Optional"))
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_endpoints_are_always_verified() -> None:
    assert client_context("").verify_mode is ssl.CERT_REQUIRED
    assert client_context("").get_ca_certs() == []
