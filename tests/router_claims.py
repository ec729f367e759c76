"""Claims on hosts, drawn so that they often stand against each other."""

from __future__ import annotations

from hypothesis import strategies as st

from podway_router.admission import Claim

HOSTS = ["a.x", "b.x", "a.b.x", "x"]


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    """Give claims of different Routes."""
    keys = draw(st.lists(st.tuples(st.sampled_from("nm"), st.sampled_from("abcdef")), unique=True))
    return [
        Claim(
            key,
            draw(st.sampled_from(HOSTS)),
            draw(st.sampled_from(["/", "/p"])),
            draw(st.sampled_from(["", "edge", "reencrypt", "passthrough"])),
            draw(st.booleans()),
            (draw(st.sampled_from(["", "2026"])), draw(st.integers(0, 3)), ""),
        )
        for key in keys
    ]
