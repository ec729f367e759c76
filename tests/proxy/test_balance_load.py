from __future__ import annotations

import pytest
from endpoints import endpoint

from podway_proxy.balance.load import Load
from podway_proxy.values import Endpoint


def test_counts_by_address_whatever_the_name() -> None:
    load = Load()
    load.began(endpoint(1))
    load.began(Endpoint("10.0.0.1", 1001, name="shop/web-1"))
    assert load.active(endpoint(1)) == 2
    assert load.active(endpoint(2)) == 0
    load.ended(endpoint(1))
    assert load.active_at(("10.0.0.1", 1001), 0) == 1


def test_an_idle_endpoint_is_forgotten() -> None:
    load = Load()
    load.began(endpoint(1))
    load.ended(endpoint(1))
    assert load.active_at(("10.0.0.1", 1001)) is None
    with pytest.raises(KeyError):
        load.ended(endpoint(1))
