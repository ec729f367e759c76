"""Zone files: plain lines read by us and by dnspython give the same zone, or the same error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podway_dns.sources import zonefile

OWNERS = ["a", "b.c", "*", "x.t.test.", "@", "A", "-", "..", "1", "out.example.", "ns", "IN"]
LINES = st.one_of(
    st.builds(
        "{} {} {} {}{}".format,
        st.sampled_from([*OWNERS, "", " "]),
        st.sampled_from(["", "60", "IN", "60 IN", "IN 60", "999999999999", "1h"]),
        st.sampled_from(["A", "AAAA", "CNAME", "TXT", "a"]),
        st.sampled_from(["10.0.0.1", "10.0.0.2", "::1", "b", "c.", "1.2.3", "01.2.3.4", '"q"']),
        st.sampled_from(["", "", " ; note", " ( ", " )"]),
    ),
    st.sampled_from(
        ["$ORIGIN s", "$ORIGIN t.test.", "$TTL 9", "", "; a ( comment", 'a TXT "x', '"']
    ),
)
GOOD = st.builds(
    "{} {} {}".format,
    st.sampled_from(["a", "b.c", "*", "x.t.test.", "A", "1", "ns", " ", "IN"]),
    st.sampled_from(["", "60", "IN", "60 IN", "7"]),
    st.sampled_from(["A 10.0.0.1", "A 10.0.0.2 ; x", "AAAA ::1", "TXT (\n q\n)", "A 10.0.0.3"]),
) | st.sampled_from(["$ORIGIN s", "$ORIGIN t.test.", "$TTL 9", ""])
HEAD = "@ 30 SOA ns hm 1 2 3 4 5\n@ 30 NS ns\n"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zones") / "db.t.test"


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lines=st.lists(LINES, max_size=6) | st.lists(GOOD, max_size=9), ttl=st.booleans())
def test_plain_lines_agree_with_dnspython(path: Path, lines: list[str], ttl: bool) -> None:
    path.write_text(("$TTL 300\n" if ttl else "") + HEAD + "\n".join(lines) + "\n")
    found = []
    before = zonefile.QUICK_FROM
    for zonefile.QUICK_FROM in (1_000_000, 0):
        loaded = zonefile.load(str(path))
        zone = loaded.zone.records if loaded.zone else None
        found.append((zone, bool(loaded.problems), loaded.problems[:1] and loaded.problems[0].line))
    zonefile.QUICK_FROM = before
    assert found[0][:2] == found[1][:2]
    assert found[0][2] == found[1][2]
