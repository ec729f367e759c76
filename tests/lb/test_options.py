from __future__ import annotations

import json

from podway_lb.options import Options, read


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
