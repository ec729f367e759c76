from __future__ import annotations

from dns_zones import zone

from podway_dns import names
from podway_dns.lookup import lookup
from podway_dns.records import CNAME, DNAME, A
from podway_dns.zone import Snapshot

SNAPSHOT = Snapshot(
    [
        zone(
            "t.",
            {
                "a": [(DNAME, [names.from_text("a.b.a.t.")])],
                "d": [(DNAME, [names.from_text("e.t.")])],
                "x.e": [(A, [bytes(4)])],
            },
        )
    ]
)


def _types(name: str) -> list[int]:
    return [rrset.rtype for _, rrset in lookup(SNAPSHOT, names.from_text(name), A).answer]


def test_a_dname_is_followed() -> None:
    assert _types("x.d.t.") == [DNAME, CNAME, A]


def test_a_dname_that_leads_below_itself_is_followed_once() -> None:
    assert _types("q.a.t.") == [DNAME, CNAME]
