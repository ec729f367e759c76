from __future__ import annotations

import pytest

from podway_proxy.process import address


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:8080", ("::1", 8080)),
        ("[2001:DB8:0::1]:0", ("2001:db8::1", 0)),
        (":443", ("0.0.0.0", 443)),
        (" 10.0.0.1:65535 ", ("10.0.0.1", 65535)),
    ],
)
def test_addresses_are_read_and_shown(text: str, value: tuple[str, int]) -> None:
    assert address.parse(text) == value
    assert address.parse(address.show(*value)) == value


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1", "localhost:80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "1.2.3:80",
     "127.0.0.1:8٣", "[::g]:80", "127.0.0.1:1_0", "01.2.3.4:80"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        address.parse(text)
