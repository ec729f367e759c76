"""Field names written as peers want them."""

from __future__ import annotations

from podway_router.letter_case import adjuster, incoming, outgoing

HEAD = b"GET / HTTP/1.1\r\nhost: x-own\r\nx-own: a\r\nX-Own-2: x-own\r\nX-oWn: b\r\n\r\n"


def test_names_change_and_nothing_else() -> None:
    adjust = adjuster(("X-OWN", "Host", "X-Absent"))
    assert adjust is not None
    assert adjust(HEAD) == (
        b"GET / HTTP/1.1\r\nHost: x-own\r\nX-OWN: a\r\nX-Own-2: x-own\r\nX-OWN: b\r\n\r\n"
    )
    assert adjust(adjust(HEAD)) == adjust(HEAD)


def test_no_name_costs_nothing() -> None:
    assert adjuster(()) is None
    assert outgoing(()) is None
    assert incoming(()) is None
