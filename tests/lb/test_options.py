from __future__ import annotations

import json

import pytest

from podway_lb.options import Options, port_map, read


def test_options_survive_json() -> None:
    given = {
        "name": "lb-a",
        "bind": ["127.0.2.1", "127.0.2.1"],
        "source": None,
        "port_map": [(80, 8080)],
        "proxy_protocol": "v2",
        "unique_id": False,
        "allow_loopback_endpoints": True,
    }
    expected = Options("lb-a", ("127.0.2.1",), ports=((80, 8080),), allow_loopback=True)
    assert read(given) == expected
    assert read(json.loads(json.dumps(given))) == expected


def test_port_map() -> None:
    assert port_map("") == []
    assert port_map("80=8080, 443=8443") == [(80, 8080), (443, 8443)]


@pytest.mark.parametrize(
    "text",
    ["80", "80=", "=80", "80=0", "80=99999", "80:8080", "a=b", "8=9=1"],
)
def test_a_bad_port_map_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="80=8080"):
        port_map(text)


def test_a_port_mapped_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        port_map("80=1,80=2")
