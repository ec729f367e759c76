"""`idleConnectionTerminationPolicy`: idle connections of workers whose time is over."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from http_rig import Pod, answering, read_answer
from ingress_objects import endpoints, route, service
from ingress_rig import until
from limits_site import Site

pytestmark = pytest.mark.live
GET = b"GET / HTTP/1.1\r\nHost: web.t\r\n\r\n"


@pytest.mark.parametrize("policy", ["Immediate", "Deferred"])
def test_idle_connections_of_a_former_generation(tmp_path: Path, policy: str) -> None:
    site, pod = Site(tmp_path), Pod(answering())
    site.spec = {"idleConnectionTerminationPolicy": policy}
    where = pod.endpoint.address
    site.put(service("web"), *endpoints("web", where), route("web", "web.t", "web"))
    with site.router("--drain-timeout", "30") as router, site.connect() as sock:
        sock.sendall(GET)
        assert read_answer(sock)[1] == b"ok"
        (old,) = router.pids("worker")
        router.process.send_signal(signal.SIGHUP)
        until("there is another generation", lambda: len(router.pids("worker")) == 2)
        sock.settimeout(10 if policy == "Immediate" else 2.5)
        try:
            assert sock.recv(1) == b""
            assert policy == "Immediate"
        except TimeoutError:
            assert policy == "Deferred"
            sock.settimeout(10)
            sock.sendall(GET)
            assert b"\r\nConnection: close\r\n" in read_answer(sock)[0]
            assert sock.recv(1) == b""
        until("the old worker is gone", lambda: old not in router.pids("worker"))
    pod.close()
