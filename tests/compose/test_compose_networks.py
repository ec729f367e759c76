"""Who reaches whom: clients only the load balancers and dns, balancers only the routers, …"""

from __future__ import annotations

import json

import pytest
from compose_lab import DAEMONS, PODS, Lab

pytestmark = pytest.mark.compose

ROUTER, ROUTER_STATS = ("2.21", 10080), ("2.21", 11936)
POD, POD_OF_B = ("3.101", 8080), ("3.102", 8080)
BALANCER, BALANCER_EXT, DNS = ("1.11", 80), ("4.12", 443), ("1.53", 53)
PROBE = """
import json, socket, sys
def reached(host, port):
    try:
        socket.create_connection((host, port), 2).close()
    except OSError:
        return False
    return True
print(json.dumps([reached(*place) for place in json.loads(sys.argv[1])]))
"""
"""Run in a container: tells which of some addresses accept a connection."""


def arguments(lab: Lab, places: list[tuple[str, int]]) -> list[str]:
    return ["python", "-c", PROBE, json.dumps([(lab.at(rest), port) for rest, port in places])]


def from_inside(lab: Lab, service: str, *places: tuple[str, int]) -> list[bool]:
    reached: list[bool] = json.loads(lab.inside(service, *arguments(lab, list(places))))
    return reached


def test_a_client_reaches_the_edge_and_nothing_behind_it(lab: Lab) -> None:
    places = [BALANCER, BALANCER_EXT, DNS, ROUTER, ROUTER_STATS, POD, POD_OF_B]
    command = ["run", "--rm", "-T", "client", *arguments(lab, places)]
    reached = json.loads(lab.call(*command).splitlines()[-1])
    assert reached == [True, True, True, False, False, False, False]


def test_a_load_balancer_reaches_the_routers_but_no_pod(lab: Lab) -> None:
    assert from_inside(lab, "lb-a", ROUTER, ROUTER_STATS, POD) == [True, True, False]


def test_a_router_reaches_the_pods(lab: Lab) -> None:
    assert from_inside(lab, "router-a", POD, POD_OF_B) == [True, True]


def test_a_pod_reaches_neither_routers_nor_the_edge(lab: Lab) -> None:
    assert from_inside(lab, "webapp-1", POD_OF_B, ROUTER, BALANCER) == [True, False, False]


def test_only_the_edge_is_published_and_only_on_loopback(lab: Lab) -> None:
    published = {}
    for service in (*DAEMONS, *PODS):
        ports = lab.inspect(service)["NetworkSettings"]["Ports"] or {}
        places = [place for each in ports.values() for place in each or []]
        published[service] = {place["HostIp"] for place in places}
    expected = {"dns": {"127.0.0.1"}, "lb-a": {"127.0.0.1"}, "lb-b": {"127.0.0.2"}}
    assert {service: found for service, found in published.items() if found} == expected


@pytest.mark.parametrize("service", ["lb-a", "router-b"])
def test_a_container_on_two_networks_forwards_no_packets(lab: Lab, service: str) -> None:
    assert lab.inside(service, "cat", "/proc/sys/net/ipv4/ip_forward").strip() == "0"
