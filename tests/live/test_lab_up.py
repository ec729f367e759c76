"""`podway up` from the outside: real clients, real sockets, a user without privileges."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dns.message
import lab_rig
import pytest
from lab_rig import Lab, run

pytestmark = pytest.mark.live

WEB = "web.apps.lab.example.test"
SHOP = "shop.apps.lab.example.test"
SECURE = "secure.apps.lab.example.test"
DOH = "doh.apps.lab.example.test"
TICKETS = "tickets.ext.lab.example.test"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with lab_rig.running() as running:
        running.wait_for("Ctrl-C ends")
        yield running


def curl(lab: Lab, url: str, balancer: str, *options: str) -> str:
    """Ask through one balancer for a host that no resolver of this machine knows."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    port = lab.https if scheme == "https" else lab.http
    address = f"{host}:{port}:{lab.moved(balancer)}"
    asked = url.replace(host, f"{host}:{port}", 1)
    command = ["curl", "-sS", "--max-time", "20", "--resolve", address, *options, asked]
    done = run(command)
    assert done.returncode == 0, done.stderr
    return done.stdout


def dig(lab: Lab, *question: str) -> list[str]:
    command = ["dig", f"@{lab.dns}", "-p", str(lab.dns_port), "+short", "+time=5", *question]
    return sorted(run(command).stdout.split())


def test_it_says_when_the_first_answer_came_and_what_to_paste(lab: Lab) -> None:
    said = lab.said()
    assert "first answer after " in said
    assert "from pod demo/simple-webapp-docker" in said
    assert "all up after " in said
    assert "error" not in said


@pytest.mark.parametrize("kind", ["dig", "curl"])
def test_the_lines_to_paste_work_as_they_are(lab: Lab, kind: str) -> None:
    lines = [line.strip() for line in lab.said().splitlines() if line.startswith(f"  {kind} ")]
    assert lines
    for line in lines:
        done = run(["sh", "-c", line.replace("curl", "curl -sS --fail")])
        assert (done.returncode, bool(done.stdout)) == (0, True), line + done.stderr


def test_names_lead_to_both_balancers(lab: Lab) -> None:
    apps = sorted(lab.moved(address) for address in ("127.0.2.1", "127.0.2.2"))
    ext = [lab.moved(address) for address in ("127.0.3.1", "127.0.3.2")]
    assert dig(lab, WEB) == apps
    assert dig(lab, "anything.at.all.apps.lab.example.test") == apps
    assert dig(lab, TICKETS) == sorted([*ext, "host.ext.lab.example.test."])
    assert dig(lab, "+tcp", "tickets.lab.example.test") == dig(lab, TICKETS)


@pytest.mark.parametrize("balancer", ["127.0.2.1", "127.0.2.2"])
def test_every_pod_answers_in_turn_through_either_balancer(lab: Lab, balancer: str) -> None:
    answers = [json.loads(curl(lab, f"http://{WEB}/?format=json", balancer)) for _ in range(12)]
    pods = Counter(answer["pod"] for answer in answers)
    assert len(pods) == 3
    assert {answer["client"] for answer in answers} == {"127.0.0.1"}
    assert {answer["headers"]["X-Forwarded-Host"] for answer in answers}


def test_ext_has_balancers_of_its_own(lab: Lab) -> None:
    assert "tickets-" in curl(lab, f"http://{TICKETS}/", "127.0.3.2")
    assert "no-route" in curl(lab, f"http://{TICKETS}/", "127.0.2.1")


def test_two_hosts_on_one_connection_reach_two_pods(lab: Lab) -> None:
    address = f"{lab.moved('127.0.2.1')}:{lab.http}"
    command = ["curl", "-sS", "-v", "--max-time", "20"]
    for host in (WEB, SHOP):
        command += [*(["--next"] if host == SHOP else []), "-H", f"Host: {host}"]
        command += [f"http://{address}/"]
    done = run(command)
    assert "simple-webapp-docker" in done.stdout
    assert "shop-v" in done.stdout
    assert "Re-using existing connection" in done.stderr


def test_weights_share_the_requests_out(lab: Lab) -> None:
    many = ["curl", "-sS", "--max-time", "30", "-H", f"Host: {SHOP}"]
    url = f"http://{lab.moved('127.0.2.1')}:{lab.http}/?n=[1-200]"
    answers = run([*many, "-H", "Accept: text/plain", url]).stdout
    shares = Counter(
        line.split()[1].rpartition("-v")[2][0]
        for line in answers.splitlines()
        if line.startswith("pod ")
    )
    assert shares.total() == 200
    assert 150 <= shares["1"] <= 170


def test_a_path_of_the_host_may_be_another_services(lab: Lab) -> None:
    pods = {curl(lab, f"http://{SHOP}/admin/x", "127.0.2.1").split()[1] for _ in range(5)}
    assert pods == {"shop-v2-5f4c9-8hvpd"}


def test_tls_is_passed_through_to_the_pods_own_certificate(lab: Lab) -> None:
    ca = lab.state / "ca.pem"
    answer = curl(lab, f"https://{SECURE}/", "127.0.2.2", "--cacert", str(ca))
    assert "pod        secure-webapp-" in answer
    address = f"{lab.moved('127.0.2.1')}:{lab.https}"
    command = ["openssl", "s_client", "-connect", address, "-servername", SECURE]
    shown = run([*command, "-CAfile", str(ca), "-verify_return_error"], input="").stdout
    assert f"subject=CN = {SECURE}" in shown
    assert "Verify return code: 0 (ok)" in shown


@pytest.mark.parametrize(
    ("host", "pod"),
    [
        ("account.apps.lab.example.test", "simple-webapp-docker-1-"),
        ("vault.apps.lab.example.test", "secure-webapp-"),
    ],
)
def test_tls_that_ends_at_the_router_is_trusted_by_the_same_ca(
    lab: Lab, host: str, pod: str
) -> None:
    ca = lab.state / "ca.pem"
    for address in ("127.0.2.1", "127.0.2.2"):
        assert f"pod        {pod}" in curl(lab, f"https://{host}/", address, "--cacert", str(ca))


def test_names_are_resolved_over_https_through_the_router(lab: Lab, tmp_path: Path) -> None:
    question = tmp_path / "question"
    question.write_bytes(dns.message.make_query(WEB, "A", id=0).to_wire())
    answer = tmp_path / "answer"
    ca = ["--cacert", str(lab.state / "ca.pem"), "--fail", "-o", str(answer)]
    sent = ["-H", "Content-Type: application/dns-message", "--data-binary", f"@{question}"]
    for balancer in ("127.0.2.1", "127.0.2.2"):
        curl(lab, f"https://{DOH}/dns-query", balancer, *ca, *sent)
        (found,) = dns.message.from_wire(answer.read_bytes()).answer
        assert sorted(map(str, found)) == [lab.moved("127.0.2.1"), lab.moved("127.0.2.2")]
        answer.unlink()


def test_curl_finds_a_host_over_https_alone(lab: Lab) -> None:
    url = f"https://{DOH}:{lab.https}/dns-query"
    ca = ["--cacert", str(lab.state / "ca.pem"), "--resolve"]
    known = f"{DOH}:{lab.https}:{lab.moved('127.0.2.1')}"
    done = run(["curl", "-sS", "--doh-url", url, *ca, known, f"http://{WEB}:{lab.http}/"])
    assert done.returncode == 0, done.stderr
    assert "simple-webapp-docker-1-" in done.stdout


def test_plain_http_to_a_tls_host_is_sent_to_the_labs_https_port(lab: Lab) -> None:
    head = curl(lab, f"http://{SECURE}/a?b", "127.0.2.1", "-I")
    assert head.startswith("HTTP/1.1 302 ")
    assert f"Location: https://{SECURE}:{lab.https}/a?b" in head.splitlines()


def test_a_large_answer_arrives_whole(lab: Lab) -> None:
    url = f"http://{lab.moved('127.0.2.1')}:{lab.http}/bytes/20000000"
    done = run(["sh", "-c", f"curl -sS -H 'Host: {WEB}' {url} | wc -c"])
    assert done.stdout.strip() == "20000000"


def test_what_does_not_work_says_why(lab: Lab) -> None:
    page = curl(lab, "http://report.apps.lab.example.test/", "127.0.2.1")
    assert "no-endpoint: route reports/report" in page


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        (f"http://{WEB}/", 0, ["ok pod", "answered on node-", "chosen by roundrobin"]),
        (f"https://{SECURE}/", 0, [f"certificate for CN={SECURE}", "passed TLS through"]),
        ("https://account.apps.lab.example.test", 0, ["ended TLS (edge)", "answered on node-"]),
        ("https://vault.apps.lab.example.test", 0, ["TLS of its own (reencrypt)"]),
        ("http://tickets.lab.example.test", 0, ["through the alias host.ext.lab.example.test"]),
        ("http://report.apps.lab.example.test", 1, ["-- Service", "pod report-0: not ready"]),
        ("http://wbe.apps.lab.example.test", 1, ["-- Route", f"nearest: {WEB}"]),
        (f"https://{WEB}/", 1, ["-- Route", "Ask http://"]),
        (f"http://{SECURE}/", 1, ["-- router", "podway trace https://"]),
        ("http://nowhere.test", 1, ["-- DNS", "REFUSED", "DNSRecord"]),
    ],
)
def test_trace_names_the_step_that_fails(lab: Lab, url: str, code: int, words: list[str]) -> None:
    done = lab.podway("trace", url)
    assert done.returncode == code, done.stdout + done.stderr
    for each in words:
        assert each in done.stdout


def test_trace_names_a_balancer_that_is_not_there(lab: Lab) -> None:
    done = lab.podway("trace", f"http://{WEB}:1/", "--lb", lab.moved("127.0.2.1"))
    assert done.returncode == 1
    assert "nothing listens there" in done.stdout
    assert "The way ends at: load balancer." in done.stdout


def test_get_shows_the_running_labs_objects(lab: Lab) -> None:
    rows = json.loads(lab.podway("get", "endpoints", "-o", "json", "-n", "tickets").stdout)
    assert [row["address"] for row in rows] == [
        lab.moved("127.128.1.40:3000"),
        lab.moved("127.128.2.40:3000"),
    ]


def test_a_second_lab_says_that_one_is_running(lab: Lab) -> None:
    done = lab.podway("up", "--manifests", str(lab.manifests))
    assert done.returncode == 3, done.stdout + done.stderr
    assert "a lab seems to be running on this machine already" in done.stderr


def test_a_changed_file_applies_at_once(lab: Lab) -> None:
    pods = lab.manifests / "lab" / "pods.yaml"
    text = pods.read_text()
    pods.write_text(text.replace("status: 'False'", "status: 'True'"))
    try:
        end = time.monotonic() + 20
        page = ""
        while "report-0 (namespace reports)" not in page and time.monotonic() < end:
            page = curl(lab, "http://report.apps.lab.example.test/", "127.0.2.1")
        assert "report-0 (namespace reports)" in page, lab.said()[-3000:]
    finally:
        pods.write_text(text)


def test_requests_are_shown_as_they_happen(lab: Lab) -> None:
    curl(lab, f"http://{WEB}/shown-as-it-happens", "127.0.2.1")
    said = lab.wait_for("/shown-as-it-happens", seconds=10)
    (line,) = (line for line in said.splitlines() if "/shown-as-it-happens" in line)
    assert f"200 GET {WEB}/shown-as-it-happens -> simple-webapp-docker-1-" in line
    assert "by route demo/web" in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_leaves_nothing(number: int) -> None:
    with lab_rig.running() as lab:
        lab.wait_for("first answer after ")
        family = descendants(lab.process.pid)
        assert len(family) > 8
        lab.process.send_signal(number)
        assert lab.process.wait(lab_rig.STOP_SECONDS) == 0
        assert "all stopped after" in lab.said()
        assert not [pid for pid in family if alive(pid)]
        assert not (lab.state / "lab.json").exists()


def test_nothing_outlives_a_lab_that_was_killed() -> None:
    with lab_rig.running() as lab:
        lab.wait_for("first answer after ")
        family = descendants(lab.process.pid)
        os.kill(lab.process.pid, signal.SIGKILL)
        lab.process.wait(10)
        end = time.monotonic() + 20
        while any(map(alive, family)) and time.monotonic() < end:
            time.sleep(0.05)
        assert not [pid for pid in family if alive(pid)]


def descendants(pid: int) -> list[int]:
    """All processes below `pid`."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended while we look
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    family = {pid}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    return sorted(family - {pid})


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
