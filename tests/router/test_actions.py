"""Header actions on heads."""

from __future__ import annotations

import pytest

from podway_router.actions import fault, program

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-b: 2\r\nX-a: 3\r\n\r\n"
MOST = 32_768


def act(*actions: list[str], head: bytes = HEAD, most: int = MOST) -> bytes:
    run = program(actions, most)
    assert run is not None
    return run(head, b"")


def fields(head: bytes) -> list[bytes]:
    return head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]


def test_no_action_is_no_program() -> None:
    assert program([], MOST) is None


def test_a_field_is_set_in_place_of_all_others_of_its_name() -> None:
    assert fields(act(["X-A", "new"])) == [b"Host: a", b"x-b: 2", b"X-A: new"]


def test_a_field_is_deleted() -> None:
    assert fields(act(["X-a"])) == [b"Host: a", b"x-b: 2"]
    assert act(["X-C"]) == HEAD


def test_a_value_may_come_from_the_field_itself() -> None:
    assert fields(act(["X-A", "<%[req.hdr(X-A)]>"]))[-1] == b"X-A: <3>"


def test_an_action_reads_what_the_one_before_wrote() -> None:
    done = act(["X-C", "%[req.hdr(X-B)]"], ["X-B"], ["X-D", "%[req.hdr(X-C)]-%[req.hdr(X-B)]"])
    assert fields(done)[-2:] == [b"X-C: 2", b"X-D: 2-"]


def test_of_two_actions_on_one_field_the_later_counts() -> None:
    assert fields(act(["X-C", "1"], ["x-c", "2"]))[-1] == b"x-c: 2"
    assert act(["X-C", "1"], ["x-c"]) == HEAD
    assert fields(act(["X-C", "1"], ["x-c", "%[req.hdr(X-C)]2"]))[-1] == b"x-c: 12"


def test_an_empty_value_is_a_field_all_the_same() -> None:
    assert fields(act(["X-C", "%[req.hdr(none)]"]))[-1] == b"X-C: "


def test_no_head_gets_longer_than_it_may_and_what_clients_can_not_lengthen_comes_first() -> None:
    head = HEAD.replace(b"x-b: 2", b"x-b: " + b"2" * 80)
    actions = (["X-C", "%[req.hdr(x-b)]"], ["X-D", "1"], ["X-E", "%[req.hdr(X-A)]"])
    done = act(*actions, head=head, most=len(head) + 20)
    assert fields(done)[-2:] == [b"X-D: 1", b"X-E: 3"]
    assert act(*actions, head=head, most=len(head)) == head


def test_a_field_that_could_not_be_set_does_not_pass_as_the_client_sent_it() -> None:
    long = ["X-A", "%[req.hdr(x-b)]" * 9]
    assert b"X-A" not in act(long, head=HEAD.replace(b"2", b"2" * 99), most=300)


def test_a_block_that_is_too_long_by_itself() -> None:
    done = act(["X-C", "1" * 50], ["X-D", "2"], head=HEAD, most=len(HEAD) + 20)
    assert fields(done)[-1] == b"X-D: 2"


@pytest.mark.parametrize(
    ("name", "value", "request_side", "says"),
    [
        ("Content-Length", "1", True, "podway's own"),
        ("transfer-encoding", None, False, "podway's own"),
        ("Connection", "close", False, "podway's own"),
        ("Host", None, True, "RFC 9112"),
        ("X-A", "%[ssl_c_der]" * 65, True, "more than 64"),
        ("Host", "%[req.hdr(X-Host)]", True, ""),
        ("Host", None, False, ""),
        ("X-Forwarded-For", "1", True, ""),
        ("X-SSL-Client-DER", "%{+Q}[ssl_c_der,base64]", True, ""),
    ],
)
def test_what_is_left_out(name: str, value: str | None, request_side: bool, says: str) -> None:
    found = fault(name, value, request_side)
    assert says in found
    assert bool(found) == bool(says)
