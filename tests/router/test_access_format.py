"""Formats against lines that HAProxy 2.6 wrote for the same event."""

from __future__ import annotations

import os

import pytest

from podway_proxy.http.access import AccessRecord, Watched
from podway_proxy.http.head import read_head
from podway_proxy.http.request import Request
from podway_proxy.values import Arrival, Endpoint, Secured
from podway_router.access.captures import Captures
from podway_router.access.facts import Busy, Facts, Names
from podway_router.access.format import HTTP, TCP, compiled, parse
from podway_router.access.variables import hostname

HEAD = (
    b"GET /ok/a?b=c HTTP/1.1\r\nHost: x.t\r\nConnection: close\r\n"
    b'User-Agent: a b"c{d|e}f#g\\h\x7f\xe9\r\n'
    b"Cookie: a=b; sess=xyz123456789012345678901234567; z=1\r\n\r\n"
)
PLAIN = b"GET /ok HTTP/1.1\r\nHost: x.t\r\nConnection: close\r\n\r\n"
ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: a{b|c}"x\r\n'
    b"Set-Cookie: sess=abc; path=/\r\n\r\n"
)
CAPTURES = Captures((("host", 64), ("user-agent", 128)), (("server", 32),), ("sess=", 20))
AT = 1795311940.534 + 0.031
"""2026-11-22 01:45:40 in GMT, when the request came, and 31 ms."""


def request(head: bytes) -> Request:
    found = read_head(head.replace(b"\x7f", b"?"), 100)
    assert isinstance(found, Request)
    found.head = head
    return found


def facts(head: bytes = HEAD, captures: Captures = CAPTURES, **more: object) -> Facts:
    """Give the event of which HAProxy's lines tell."""
    watched = Watched(
        100.0,
        100.0,
        100.0,
        100.031,
        wait=0.0,
        connect=0.0,
        response=0.031,
        received=126,
        sent=94,
        head=ANSWER,
        source=("127.0.0.1", 47816),
    )
    arrival = Arrival(("127.0.0.1", 43100), ("127.66.0.3", 4391), ("127.0.0.1", 43100))
    endpoint = Endpoint("127.66.0.2", 36871)
    record = AccessRecord(
        ("127.0.0.1", 43100), request(head), 200, "", "", "r", endpoint, 0.031, 1, arrival, watched
    )
    record = record._replace(**more)
    names = Names("public", "ok", "pod:ok:svc:http:1")
    return Facts(record, names, Busy(1, 1, 0, 0), 0, AT, captures)


def unread() -> Facts:
    """Give an event without a request."""
    watched = Watched(100.0, 100.1, 100.1, 100.1)
    one = facts(request=None, status=400, step="client-gone", endpoint=None, watched=watched)
    one.names = Names("public", "public", "<NOSRV>")
    return one


SAID = {
    "%b %s %f %ft|%HM|%HP|%HPO|%HQ|%HU|%HV": (
        "ok pod:ok:svc:http:1 public public|GET|/ok/a|/ok/a|?b=c|/ok/a?b=c|HTTP/1.1"
    ),
    "%U|%B|%Th|%Ti|%Tq|%TR|%Tw|%Tc|%Tr|%Ta|%Tt|%Td|%Tu|%rc|%sq|%bq|%ac|%fc|%bc|%sc": (
        "126|94|0|0|0|0|0|0|31|31|31|0|31|0|0|0|1|1|0|0"
    ),
    "%ci|%cp|%fi|%fp|%bi|%bp|%si|%sp": (
        "127.0.0.1|43100|127.66.0.3|4391|127.0.0.1|47816|127.66.0.2|36871"
    ),
    "%tsc|%ts|%CC|%CS|%sslv|%sslc|%ST|%ID|%lc|%rt": (
        "----|--|sess=xyz123456789012|sess=abc|-|-|200|-|0|0"
    ),
    "%hr %hs": "{x.t|a b#22c#7Bd#7Ce#7Df#23g\\h#7F#E9} {a#7Bb#7Cc#7D#22x}",
    '%{+Q}o %{-Q}ci - - %r %ST "" %ft %b %Ta %tsc %CC %CS %hrl %hsl': (
        '127.0.0.1 - - "GET /ok/a?b=c HTTP/1.1" 200 "" "public" "ok" 31 ---- '
        '"sess=xyz123456789012" "sess=abc" "x.t" "a b#22c#7Bd#7Ce#7Df#23g\\h#7F#E9" '
        '"a#7Bb#7Cc#7D#22x"'
    ),
    "%{+X}o %ci %cp %Ts %rt %fi %ST %B %% 100%% %{+Q}hr end  two   spaces": (
        "7F000001 A85C 6B024944 0000 7F420003 200 94 % 100% "
        '"{x.t|a b#22c#7Bd#7Ce#7Df#23g\\h#7F#E9}" end two spaces'
    ),
    "%[capture.req.hdr(0)] %[capture.req.hdr(1),json(utf8s)]": ('x.t a b\\"c{d|e}f#g\\\\h\\u007f'),
    "%{+E}r %[path] %[query] %[method],%[src] %[dst_port] %[req.hdr(HOST),upper]": (
        "GET /ok/a?b=c HTTP/1.1 /ok/a b=c GET,127.0.0.1 4391 X.T"
    ),
    "%[req.cook(z)] %[res.hdr(server)] %[urlp(b)] %[hdr(no)] %{+Q}[hdr(no)] %{-M}[hdr(no)]|": (
        '1 a{b|c}#22x c - "" |'
    ),
    "%[capture.req.uri,field(3,/)] %[path,bytes(1,2)] %[str(a b),length] %[int(7)]": "a?b=c ok 3 7",
    "%[src,hex] %[hdr(host),base64] %[hdr(host),url_enc] %[ssl_fc] %[ssl_fc_sni]": (
        "3132372E302E302E31 eC50 x.t 0 -"
    ),
}


@pytest.mark.parametrize("form", SAID)
def test_what_haproxy_says(form: str) -> None:
    assert not parse(form).faults
    assert compiled(form)(facts()) == SAID[form]


def test_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    form = "%t|%tr|%trg|%trl|%T|%Tl|%Ts|%ms"
    said = compiled(form)(facts())
    assert said.count("40.534") == 2
    assert "22/Nov/2026:01:45:40 +0000" in said
    assert said.endswith("|1795311940|534")


def test_the_usual_formats() -> None:
    said = compiled(HTTP)(facts())
    assert said.startswith("127.0.0.1:43100 [")
    assert said.endswith(
        "] public ok/pod:ok:svc:http:1 0/0/0/31/31 200 94 sess=xyz123456789012 sess=abc ---- "
        "1/1/0/0/0 0/0 {x.t|a b#22c#7Bd#7Ce#7Df#23g\\h#7F#E9} {a#7Bb#7Cc#7D#22x} "
        '"GET /ok/a?b=c HTTP/1.1"'
    )
    without = compiled(HTTP)(facts(PLAIN, Captures()))
    assert without.endswith('200 94 - - ---- 1/1/0/0/0 0/0 "GET /ok HTTP/1.1"')
    assert compiled(HTTP)(unread()).endswith(
        '] public public/<NOSRV> -1/-1/-1/-1/100 400 0 - - CR-- 1/1/0/0/0 0/0 "<BADREQ>"'
    )
    assert compiled(TCP)(facts()).endswith(
        "] public ok/pod:ok:svc:http:1 0/0/31 94 -- 1/1/0/0/0 0/0"
    )


def test_what_is_not_there() -> None:
    assert compiled("%HQ|%CC|%hr|%hrl")(facts(PLAIN)) == "|-|{x.t|}|x.t -"
    assert compiled("%{+Q}HQ|%{+Q}CC|%{+Q}hrl")(facts(PLAIN)) == '""|""|"x.t" ""'
    gone = facts(endpoint=None, watched=None, arrival=None, status=0)
    assert compiled("%bi %bp %si %sp %fi %sslv %ST")(gone) == "- - - - - - -1"
    assert compiled("%HM %HP %HU %HV %HQ %HPO %r")(unread()) == " ".join(["<BADREQ>"] * 7)
    assert compiled("%[path] %[method] %[urlp(a)] %hr %hs x")(unread()) == "- - - x"


def test_tls_and_this_process() -> None:
    arrival = facts().record.arrival
    assert arrival is not None
    tls = Secured("x.t", "TLSv1.3", b"\x30\x00", "/CN=me", "TLS_AES_128_GCM_SHA256")
    one = facts(arrival=arrival._replace(tls=tls))
    one.names = one.names._replace(secure=True)
    form = "%ft %sslv %sslc %[ssl_fc] %[ssl_fc_sni] %[ssl_c_s_dn] %[ssl_c_der,base64] %[ssl_c_used]"
    assert compiled(form)(one) == ("public~ TLSv1.3 TLS_AES_128_GCM_SHA256 1 x.t /CN=me MAA= 1")
    assert compiled("%pid %H")(one) == f"{os.getpid()} {hostname()}"


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ("%nonsense", "has %nonsense, which is no variable"),
        ("%cix", "has %cix, which is no variable"),
        ("a %", "at character 5, which names nothing"),
        ("%{+Z}ci", "has the flag '+Z'"),
        ("%[nothing]", "sample 'nothing' is not known"),
        ("%[req.hdr]", "sample req.hdr: its argument is missing"),
        ("%[path,rot13]", "converter 'rot13' is not known"),
        ("%[path,bytes(x)]", "converter bytes: its arguments are not understood"),
        ("%[path,]", "is not understood from"),
        ("%{+Q", "at character 3, which names nothing"),
    ],
)
def test_what_is_not_understood_is_said_and_written_as_a_dash(form: str, fault: str) -> None:
    parsed = parse(f"x {form} %ST")
    assert len(parsed.faults) == 1
    assert fault in parsed.faults[0]
    said = compiled(f"x {form} %ST")(facts())
    assert said.startswith("x ")
    assert said in ("x - 200", "x a - 200", "x 127.0.0.1 200", "x -")


def test_a_format_that_looks_like_json_gives_json() -> None:
    said = compiled('{"ua":"%[hdr(user-agent)]","st":%ST,"u":"%HU"}')(facts())
    assert said == '{"ua":"a b#22c{d|e}f#23g#5Ch#7F#E9","st":200,"u":"/ok/a?b=c"}'


def test_a_format_without_end_is_cut() -> None:
    parsed = parse("a" * 20_000)
    assert len(parsed.pieces[0].text) == 16_384
    assert "is longer than" in parsed.faults[0]
