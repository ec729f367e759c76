from __future__ import annotations

import pytest

from podway_proxy.process.descriptors import clients_within


@pytest.mark.parametrize(
    ("limit", "clients"), [(1024, 416), (1_048_576, 524_192), (256, 64), (64, 16), (0, 1)]
)
def test_each_client_takes_two_and_some_are_kept_back(limit: int, clients: int) -> None:
    assert clients_within(limit) == clients
