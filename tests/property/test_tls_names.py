from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from podway_proxy.tls.names import Patterns, covers, pattern_fault, subject
from podway_proxy.tls.profiles import TLS13, WEAK, custom_faults, profile

LABEL = st.text("abz09-", min_size=1, max_size=4)
HOST = st.lists(LABEL, min_size=1, max_size=4).map(".".join)
NAME = st.one_of(HOST, HOST.map("*.{}".format))


@settings(max_examples=200)
@given(st.lists(NAME, max_size=5), HOST)
def test_a_name_covers_itself_and_a_wildcard_one_label(names: list[str], host: str) -> None:
    def model(name: str) -> bool:
        if not name.startswith("*."):
            return name == host
        first, _, rest = host.partition(".")
        return bool(first) and rest == name[2:]

    assert covers(names, host) is any(map(model, names))


@settings(max_examples=200)
@given(st.lists(st.text(max_size=12), max_size=4), st.text(max_size=20))
def test_any_text_is_a_pattern_or_says_why_not(patterns: list[str], said: str) -> None:
    good = [one for one in patterns if not pattern_fault(one)]
    wanted = not patterns or any(re.search(one, said) for one in good)
    assert Patterns(patterns).allow(said) is wanted


@given(st.lists(st.tuples(st.sampled_from(("commonName", "x")), st.text(max_size=9)), max_size=4))
def test_every_part_of_a_subject_shows(pairs: list[tuple[str, str]]) -> None:
    shown = subject({"subject": tuple((pair,) for pair in pairs)})
    assert shown.count("=") >= len(pairs)
    assert all(value in shown for _, value in pairs)


CIPHER = st.one_of(
    st.sampled_from((*TLS13, "AES128-SHA", "AES256-SHA")), st.text("A1:@-", max_size=5)
)


@settings(max_examples=200)
@given(st.lists(CIPHER, max_size=6), st.sampled_from(("", "VersionTLS10", "VersionTLS12", "x")))
def test_a_custom_profile_never_asks_openssl_for_suites_of_tls_1_3(
    ciphers: list[str], lowest: str
) -> None:
    made = profile("Custom", ciphers, lowest)
    assert not set(TLS13) & set(made.ciphers.split(":"))
    assert (WEAK in made.ciphers) <= (lowest == "VersionTLS10" or WEAK in "".join(ciphers))
    known = frozenset(("AES128-SHA", "AES256-SHA"))
    unknown = [name for name in ciphers if name not in known and name not in TLS13]
    assert len(custom_faults(ciphers, known)) >= len(unknown)
