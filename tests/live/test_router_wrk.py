"""wrk asks without a pause while the Routes change at random: every answer is 200 and whole."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from edge_site import Site
from ingress_objects import Object, endpoints, route, service
from ingress_rig import until
from real_pods import nginx

pytestmark = pytest.mark.live
SECONDS = 6
SCRIPT = """
local file = io.open("{body}", "rb")
local expected = file:read("*a")
file:close()
local threads = {{}}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  good = 0
  bad = 0
end

function response(status, headers, body)
  if status == 200 and body == expected then good = good + 1 else bad = bad + 1 end
end

function done(summary, latency, requests)
  local good, bad = 0, 0
  for _, thread in ipairs(threads) do
    good = good + thread:get("good")
    bad = bad + thread:get("bad")
  end
  local e = summary.errors
  print(string.format("good=%d bad=%d status=%d", good, bad, e.status))
  print(string.format("connect=%d read=%d write=%d timeout=%d",
    e.connect, e.read, e.write, e.timeout))
end
"""


def objects(chance: random.Random, pods: list[tuple[str, int]]) -> list[Object | list[Object]]:
    """The Route as it is now: weights, balancing, and which of its pods there are."""
    policy = chance.choice(["roundrobin", "leastconn", "source", "random"])
    notes = {"haproxy.router.openshift.io/balance": policy}
    some = chance.sample(pods, chance.randint(1, len(pods)))
    weights = {"web": chance.randint(1, 9), "other": chance.randint(0, 9)}
    spec = {"annotations": notes}
    return [
        route("a", "a.apps.example.test", weights, **spec),
        route("e", "e.apps.example.test", weights, tls={"termination": "edge"}, **spec),
        *(route(f"n{n}", f"n{n}.apps.example.test", "web") for n in range(chance.randint(0, 30))),
        service("web"),
        endpoints("web", *some),
        service("other"),
        endpoints("other", *pods),
    ]


@pytest.mark.parametrize("kind", ["plain", "edge"])
def test_nothing_is_lost_beside_random_changes(kind: str, tmp_path: Path) -> None:
    chance = random.Random(6)
    body = chance.randbytes(20_000)
    for name in ("one", "two"):
        (tmp_path / name / "files").mkdir(parents=True)
        (tmp_path / name / "files" / "blob.bin").write_bytes(body)
    script = tmp_path / "check.lua"
    script.write_text(SCRIPT.format(body=tmp_path / "one" / "files" / "blob.bin"))
    site = Site(tmp_path)
    with nginx(tmp_path / "one") as one, nginx(tmp_path / "two") as two:
        site.put(*objects(chance, [one, two]))
        with site.router(workers=2) as router:
            wrk = start(site, kind, script)
            changes = 0
            while wrk.poll() is None:
                site.put(*objects(chance, [one, two]))
                changes += 1
                if changes % 40 == 20:
                    old = set(router.pids("worker"))
                    router.process.send_signal(signal.SIGHUP)
                    until("a new generation", lambda old=old: set(router.pids("worker")) - old)
                time.sleep(chance.choice((0, 0, 0.05, 0.2)))  # in bursts and apart
            said = wrk.communicate()[0]
    assert wrk.returncode == 0, said
    counted = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", said)}
    assert counted.pop("good") > 500, said
    assert set(counted.values()) == {0}, said
    assert changes > 30


def start(site: Site, kind: str, script: Path) -> subprocess.Popen[str]:
    program = shutil.which("wrk")
    assert program, "wrk is not installed: sudo apt-get install wrk"
    letter, port = ("a", site.http) if kind == "plain" else ("e", site.https)
    scheme = "http" if kind == "plain" else "https"
    command = [program, "-t", "2", "-c", "24", "-d", f"{SECONDS}s", "--timeout", "10s"]
    command += ["-s", str(script), "-H", f"Host: {letter}.apps.example.test"]
    url = f"{scheme}://{site.host}:{port}/blob.bin"
    return subprocess.Popen([*command, url], stdout=subprocess.PIPE, text=True)
