"""The load balancer with real daemons: listeners, PROXY v2, checks, fail-over, the whole chain."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from ingress_objects import Object, balanced, controller, endpoints, route, service
from ingress_rig import Daemon, Load, Manifests, Pod, address, ask, free_port, get, until
from tls_servers import postgres

from podway_proxy.proxy_protocol import UNIQUE_ID, sniff_header
from podway_proxy.verdict import Found

pytestmark = pytest.mark.live
HOME = "openshift-ingress"


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    directory = tmp_path / "manifests"
    directory.mkdir()
    return Manifests(directory)


@pytest.fixture
def pods() -> Iterator[list[Pod]]:
    made = [Pod("blue"), Pod("green")]
    yield made
    for pod in made:
        if pod.alive:
            pod.kill()


def behind(name: str, *where: tuple[str, int], port: str = "http") -> list[Object]:
    return endpoints(name, *where, namespace=HOME, port=port)


def balancer(manifests: Manifests, *arguments: str, workers: int = 1) -> Daemon:
    usual = ("--name", "lb-a", "--allow-loopback-endpoints")
    return Daemon("podway-lb", manifests, *usual, *arguments, workers=workers)


class Ear:
    """A TCP server that keeps what each connection sends first, and answers nothing."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._listener = socket.create_server((address(), 0))
        self.where: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        # The listener is closed under us at the end.
        with contextlib.suppress(OSError):
            while True:
                sock, peer = self._listener.accept()
                with sock:
                    sock.settimeout(10)
                    data = sock.recv(65536)
                    if data:
                        self.heard.append((peer[0], data))

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def test_proxy_v2_carries_the_client_and_the_unique_id(manifests: Manifests) -> None:
    ip, source = address(), address()
    port = free_port(ip)
    with Ear() as ear:
        manifests.put("lb", balanced("apps", ip, {"http": port}), behind("apps", ear.where))
        with balancer(manifests, "--source", source, "--unique-id"):
            client = address()
            with socket.create_connection((ip, port), 10, (client, 0)) as sock:
                ours = sock.getsockname()
                sock.sendall(b"hello")
                until("the endpoint hears it", lambda: ear.heard)
            peer, data = ear.heard[0]
            assert peer == source
            found = sniff_header(data)
            assert isinstance(found, Found)
            assert found.value.client == ours
            assert found.value.local == (ip, port)
            assert len(found.value.tlvs[UNIQUE_ID]) == 16
            assert data[found.consumed :] in (b"", b"hello")


def test_connections_spread_and_a_dead_endpoint_is_passed_over(
    manifests: Manifests, pods: list[Pod]
) -> None:
    ip = address()
    port = free_port(ip)
    manifests.put(
        "lb",
        balanced("apps", ip, {"http": port}),
        behind("apps", *(pod.where for pod in pods)),
    )
    with balancer(manifests, "--proxy-protocol", "none") as lb:
        seen = Counter(get((ip, port), "any.t")[1]["pod"] for _ in range(8))
        assert seen == {"blue": 4, "green": 4}
        pods[0].kill()
        for _ in range(6):
            assert get((ip, port), "any.t")[1]["pod"] == "green"
        until("the check notices", lambda: lb.debug("down"))
        (services,) = lb.debug("services")
        assert len(services["endpoints"]) == 2


def test_source_ranges_and_affinity(manifests: Manifests, pods: list[Pod]) -> None:
    ip, inside, outside = address(), address(), address()
    port = free_port(ip)
    spec = {"loadBalancerSourceRanges": [f"{inside}/32"], "sessionAffinity": "ClientIP"}
    manifests.put(
        "lb",
        balanced("apps", ip, {"http": port}, **spec),
        behind("apps", *(pod.where for pod in pods)),
    )
    with balancer(manifests, "--proxy-protocol", "none") as lb:
        same = {get((ip, port), "any.t", source=inside)[1]["pod"] for _ in range(6)}
        assert len(same) == 1
        with pytest.raises((OSError, http.client.HTTPException)):
            get((ip, port), "any.t", source=outside)
        assert 'refused_total{step="source-range"} 1' in lb.get("/metrics")[1]
        refused = [one for one in lb.events() if one["event"] == "refused"]
        assert refused[0]["client"].startswith(outside)


def test_services_come_and_go(manifests: Manifests, pods: list[Pod]) -> None:
    ip = address()
    first, second = free_port(ip), free_port(ip)
    apps = [balanced("apps", ip, {"http": first}), behind("apps", pods[0].where)]
    manifests.put("lb", apps)
    with balancer(manifests, "--proxy-protocol", "none"):
        connection = http.client.HTTPConnection(ip, first, timeout=10)
        assert ask(connection, "any.t")[1]["pod"] == "blue"
        ext = [balanced("ext", ip, {"http": second}), behind("ext", pods[1].where)]
        manifests.put("lb", ext)

        def closed() -> bool:
            with socket.socket() as sock:
                return sock.connect_ex((ip, first)) != 0

        until("the first port is closed", closed)
        assert get((ip, second), "any.t")[1]["pod"] == "green"
        assert ask(connection, "any.t")[1]["pod"] == "blue", "an open connection goes on"
        connection.close()


def test_sighup_cuts_no_connection(manifests: Manifests, pods: list[Pod]) -> None:
    ip = address()
    port = free_port(ip)
    manifests.put(
        "lb",
        balanced("apps", ip, {"http": port}),
        behind("apps", *(pod.where for pod in pods)),
    )
    with balancer(manifests, "--proxy-protocol", "none", workers=2) as lb:
        tunnel = http.client.HTTPConnection(ip, port, timeout=10)
        before = set(lb.pids("worker"))
        pod = ask(tunnel, "any.t")[1]["pod"]
        with Load((ip, port), "any.t") as load:
            lb.process.send_signal(signal.SIGHUP)
            until("a new generation serves", lambda: len(set(lb.pids("worker")) - before) == 2)
            for _ in range(20):
                assert get((ip, port), "any.t")[0] == 200
        assert load.faults == []
        assert ask(tunnel, "any.t")[1]["pod"] == pod, "the same connection to the same pod"
        tunnel.close()
        until("the old generation ends", lambda: not before & set(lb.pids("worker")))


def test_a_killed_worker_is_replaced(manifests: Manifests, pods: list[Pod]) -> None:
    ip = address()
    port = free_port(ip)
    manifests.put("lb", balanced("apps", ip, {"http": port}), behind("apps", pods[0].where))
    with balancer(manifests, "--proxy-protocol", "none", workers=2) as lb:
        (first, _) = lb.pids("worker")
        os.kill(first, signal.SIGKILL)
        until("two again", lambda: len(set(lb.pids("worker")) - {first}) == 2)
        until("it is ready", lambda: lb.get("/healthz/ready")[0] == 200)
        for _ in range(6):
            assert get((ip, port), "any.t")[0] == 200


class Chain:
    """Two routers on two nodes behind a load balancer, as in the cluster."""

    def __init__(self, manifests: Manifests, pods: list[Pod], *more: Object) -> None:
        self.manifests = manifests
        self.ip, self.source = address(), address()
        self.where = (self.ip, free_port(self.ip))
        self.secure = (self.ip, free_port(self.ip))
        ports = {"http": self.where[1], "https": self.secure[1]}
        self.nodes = [address(), address()]
        self.http, self.https, self.stats = (free_port(self.nodes[0]) for _ in range(3))
        manifests.put(
            "site",
            controller("apps", self.http, self.https, self.stats, protocol="PROXY"),
            balanced("apps", self.ip, ports, healthCheckNodePort=self.stats),
            behind("apps", *((node, self.http) for node in self.nodes)),
            behind("apps", *((node, self.https) for node in self.nodes), port="https"),
            service("web"),
            endpoints("web", *(pod.where for pod in pods)),
            route("web", "web.t", "web"),
            *more,
        )

    def router(self, node: str) -> Daemon:
        usual = ("--name", "apps", "--bind", node, "--allow-loopback-endpoints")
        trusted = ("--proxy-protocol", self.source)
        return Daemon("podway-router", self.manifests, *usual, *trusted, workers=1)

    def balancer(self) -> Daemon:
        return balancer(self.manifests, "--source", self.source)


def test_the_client_arrives_at_the_pod_through_the_whole_chain(
    manifests: Manifests, pods: list[Pod]
) -> None:
    chain = Chain(manifests, pods)
    with chain.router(chain.nodes[0]), chain.router(chain.nodes[1]), chain.balancer() as lb:
        client = address()
        status, body, _ = get(chain.where, "web.t", source=client)
        assert status == 200
        headers = dict(body["headers"])
        assert headers["x-forwarded-for"] == client
        assert headers["x-forwarded-port"] == str(chain.where[1])
        assert lb.debug("down") == {}
        with pytest.raises((OSError, http.client.HTTPException)):
            get((chain.nodes[0], chain.http), "web.t")


def test_postgresql_through_the_whole_chain(manifests: Manifests) -> None:
    through = {"termination": "passthrough"}
    with postgres("pg.t") as where:
        pg = [service("pg"), *endpoints("pg", where), route("pg", "pg.t", "pg", tls=through)]
        chain = Chain(manifests, [], *pg)
        with chain.router(chain.nodes[0]), chain.balancer():
            target = f"host=pg.t hostaddr={chain.secure[0]} port={chain.secure[1]} user=tester"
            ended = subprocess.run(
                ["psql", f"{target} dbname=postgres sslmode=require", "-Atc", "select 6 * 7"],
                capture_output=True,
                text=True,
                timeout=20,
            )
            assert ended.stdout.strip() == "42", ended.stderr


def test_a_router_that_is_not_ready_is_taken_out_before_it_closes(
    manifests: Manifests, pods: list[Pod]
) -> None:
    chain = Chain(manifests, pods)
    with chain.router(chain.nodes[0]), chain.balancer() as lb:
        usual = ("--name", "apps", "--bind", chain.nodes[1], "--allow-loopback-endpoints")
        leaving = Daemon(
            "podway-router",
            manifests,
            *usual,
            "--proxy-protocol",
            chain.source,
            "--drain-wait",
            "4",
            workers=1,
        )
        with leaving:
            until("both are in", lambda: lb.debug("down") == {})
            with Load(chain.where, "web.t", clients=2) as load:
                leaving.process.send_signal(signal.SIGTERM)
                key = f"down/{chain.nodes[1]}:{chain.http}"
                until("it is taken out", lambda: key in lb.debug("down"))
                assert leaving.process.poll() is None, "it still serves"
                leaving.process.wait(30)
            assert load.faults == []
