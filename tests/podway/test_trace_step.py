from __future__ import annotations

import pytest

from podway.trace.step import Target, read_address, read_target


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://Web.Test/a?b=c", Target("http", "web.test", None, "/a?b=c")),
        ("https://web.test:8443", Target("https", "web.test", 8443, "/")),
        ("web.test.", Target("http", "web.test", None, "/")),
        ("web.test:81/x", Target("http", "web.test", 81, "/x")),
    ],
)
def test_urls(url: str, target: Target) -> None:
    assert read_target(url) == target


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://bücher.test", "http://x/\u0000"])
def test_what_is_no_url_says_so(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected|host name|path"):
        read_target(url)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.1.53", ("127.0.1.53", 53)),
        ("127.0.1.53:5353", ("127.0.1.53", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
        ("[::1]", ("::1", 53)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert read_address(text, 53) == address


@pytest.mark.parametrize("text", ["", "web.test", "127.0.0.1:x", "127.0.0.1:70000"])
def test_what_is_no_address_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"no port|IP address"):
        read_address(text, 53)


def test_the_host_header_names_a_port_that_is_not_the_usual_one() -> None:
    target = read_target("https://web.test")
    assert target.authority(443) == "web.test"
    assert target.authority(8443) == "web.test:8443"
