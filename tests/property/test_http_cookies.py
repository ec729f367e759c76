from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.http.cookies import sent, spelt, storable, without, without_set

BEGINS = b"stk="
PAIR = st.sampled_from(
    [
        "stk=v",
        "stk=",
        " stk=w",
        "  stk=v ",
        "\tstk=x",
        "a=1",
        " a=stk=1",
        " xstk=v",
        "",
        " ",
        " stk",
    ]
)
COOKIE = st.builds(
    lambda name, pairs, by: (name, by.join(pairs)),
    st.sampled_from(["Cookie:", "Cookie: ", "Cookie: ", "cookie:", "COOKIE: "]),
    st.lists(PAIR, max_size=5),
    st.sampled_from([";", "; "]),
)
OTHER = st.sampled_from(
    [("X-Cookie:", " stk=v"), ("Host:", " stk="), ("Set-Cookie:", " stk=v"), ("X:", "")]
)
FIELDS = st.lists(st.one_of(COOKIE, OTHER), max_size=6)


def _head(lines: list[tuple[str, str]], target: str) -> bytes:
    text = "".join(name + value + "\r\n" for name, value in lines)
    return f"GET {target} HTTP/1.1\r\n{text}\r\n".encode()


def _is_cookie(name: str) -> bool:
    return name.strip().lower() == "cookie:"


@settings(max_examples=600, deadline=None)
@given(FIELDS, st.sampled_from(["/", "/", "/?stk=1;stk=2"]))
def test_reading_and_taking_out_agree_with_a_plain_model(
    lines: list[tuple[str, str]], target: str
) -> None:
    head = _head(lines, target)
    pairs = [pair.strip() for name, value in lines if _is_cookie(name) for pair in value.split(";")]
    ours = [pair for pair in pairs if pair.startswith("stk=")]
    assert sent(head, BEGINS) == [pair[4:].encode() for pair in ours]
    value = spelt(head, BEGINS)
    assert not value or value.strip() == sent(head, BEGINS)[0]
    left = without(head, BEGINS)
    assert sent(left, BEGINS) == []
    assert without(left, BEGINS) == left
    kept = []
    for name, value in lines:
        others = [pair for pair in value.split(";") if not pair.lstrip().startswith("stk=")]
        if not _is_cookie(name) or len(others) == len(value.split(";")):
            kept.append((name, value))
        elif any(pair.strip() for pair in others):
            # The blank that stands behind the colon in some names goes with the first pair.
            kept.append(
                (name.strip() if value.lstrip().startswith("stk=") else name, ";".join(others))
            )
    assert left == _head(kept, target)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"GET", b"POST"]), st.integers(200, 599))
def test_any_bytes_are_taken(junk: bytes, method: bytes, status: int) -> None:
    head = b"HTTP/1.1 200 OK\r\nCookie: stk=" + junk + b"\r\n\r\n"
    sent(head, BEGINS)
    spelt(head, BEGINS)
    assert len(without(head, BEGINS)) <= len(head)
    assert without_set(head.replace(b"\nSet-Cookie", b""), BEGINS)
    storable(method, status, head)
