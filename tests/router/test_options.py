from __future__ import annotations

import json

import pytest

from podway_router.options import EVERYWHERE, Options, networks, read

GIVEN = {
    "name": ["apps", "ext", "apps"],
    "bind": [],
    "http": ("127.0.0.1", 8080),
    "https": None,
    "proxy_protocol": ["127.0.4.1/32"],
    "external_https_port": 8443,
    "allow_loopback_endpoints": True,
    "access_log": False,
    "explain": True,
    "slow_start": 5.0,
    "client_affinity": True,
}


def test_options_survive_json() -> None:
    expected = Options(
        ("apps", "ext"),
        binds=(EVERYWHERE,),
        http=("127.0.0.1", 8080),
        trusted=("127.0.4.1/32",),
        external_https_port=8443,
        allow_loopback=True,
        explain=True,
        slow_start=5.0,
        client_affinity=True,
    )
    assert read(GIVEN) == expected
    assert read(json.loads(json.dumps(GIVEN))) == expected


def test_networks() -> None:
    assert networks("127.0.4.1, 10.1.2.3/8,::1") == ["127.0.4.1/32", "10.0.0.0/8", "::1/128"]


@pytest.mark.parametrize("text", ["", ",", "everybody", "10.0.0.0/40"])
def test_what_is_no_network_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        networks(text)
