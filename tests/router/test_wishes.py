from __future__ import annotations

import pytest

from podway_router.wishes import H, Wishes, read, seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("5", 0.005), ("1us", 1e-6), ("20ms", 0.02), ("30s", 30), ("5m", 300), ("2h", 7200)],
)
def test_times(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


def test_a_time_is_capped_as_haproxy_caps_it() -> None:
    assert seconds("900d") == pytest.approx(2_147_483.647)
    assert seconds("9" * 400 + "d") is None


@pytest.mark.parametrize("text", ["", "0", "05s", "1.5s", "-1s", "5 s", "5S", "s", "5w", "5s\n"])
def test_what_is_no_time(text: str) -> None:
    assert seconds(text) is None


def test_valid_wishes_are_read() -> None:
    wishes, warnings = read({H + "balance": "source", H + "timeout": "5s", "other": "x"})
    assert wishes == Wishes(balance="source", timeout=5.0)
    assert warnings == ()


def test_an_allowlist_is_read_and_never_fails_open() -> None:
    wishes, warnings = read({H + "ip_allowlist": "10.1.2.3/8 2001:db8::1  nonsense"})
    assert wishes.allowed == ("10.0.0.0/8", "2001:db8::1/128")
    assert "'nonsense' is no address" in warnings[0]
    wishes, warnings = read({H + "ip_whitelist": "nonsense"})
    assert wishes.allowed == ()
    assert "nobody is let in" in warnings[-1]
    both = read({H + "ip_whitelist": "10.0.0.1", H + "ip_allowlist": "10.0.0.2"})[0]
    assert both.allowed == ("10.0.0.2/32",)


def test_cookies_are_asked_for_as_openshift_has_it() -> None:
    wishes, warnings = read(
        {
            H + "disable_cookies": "T",
            "router.openshift.io/cookie_name": "my-Cookie_1",
            "router.openshift.io/cookie-same-site": "Strict",
        }
    )
    assert wishes == Wishes(no_cookies=True, cookie_name="my-Cookie_1", same_site="Strict")
    assert warnings == ()
    assert read({H + "disable_cookies": "false"})[0] == Wishes()


def test_an_invalid_wish_about_cookies_is_absent_and_reported() -> None:
    wishes, warnings = read(
        {
            H + "disable_cookies": "yes",
            "router.openshift.io/cookie_name": "a b",
            "router.openshift.io/cookie-same-site": "lax",
        }
    )
    assert wishes == Wishes()
    assert len(warnings) == 3
    assert "disable_cookies]: 'yes' is neither true nor false" in warnings[0]
    assert "cookie_name]: 'a b' is no cookie's name: letters, digits, _ and -" in warnings[1]
    assert "cookie-same-site]: 'lax' is not one of Lax, Strict, None" in warnings[2]


def test_limits_are_read() -> None:
    names = H + "rate-limit-connections", H + "rate-limit-connections.rate-http"
    wishes, warnings = read(
        {names[0]: "TRUE", names[1]: "5", H + "pod-concurrent-connections": "3"}
    )
    assert wishes == Wishes(rules={"requests": 5}, pod_connections=3)
    assert warnings == ()
    assert read({names[0]: "on", names[1]: "5"})[0] == Wishes()


def test_an_invalid_value_is_absent_and_reported() -> None:
    wishes, warnings = read(
        {H + "balance": "fastest", H + "timeout": "soon", H + "set-forwarded-headers": "Append"}
    )
    assert wishes == Wishes()
    assert len(warnings) == 3
    assert "'fastest' is not one of roundrobin, leastconn, source, random" in warnings[0]
    assert "haproxy.router.openshift.io/timeout" in warnings[1]


def test_what_is_asked_of_heads_is_read() -> None:
    wishes, warnings = read(
        {H + "hsts_header": "max-age=1", H + "rewrite-target": "/x", H + "h1-adjust-case": "true"}
    )
    assert wishes == Wishes(hsts="max-age=1", rewrite="/x", adjusts_case=True)
    assert warnings == ()
    wishes, warnings = read(
        {H + "hsts_header": "max-age=1; x", H + "rewrite-target": "x", H + "h1-adjust-case": "yes"}
    )
    assert wishes == Wishes()
    assert "hsts_header]: 'max-age=1; x' is not max-age=31536000" in warnings[0]
    assert "rewrite-target]: 'x' does not begin with '/'" in warnings[1]
    assert "h1-adjust-case]: 'yes' is neither true nor false" in warnings[2]


def test_a_route_that_asks_for_nothing_has_what_reading_nothing_gives() -> None:
    asked = {"router.openshift.io/unknown": "x"}  # makes it read all of them
    assert read({}) == read({"openshift.io/host.generated": "true"}) == (read(asked)[0], ())
