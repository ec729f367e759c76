"""Checks of reencrypt pods: the handshake counts, not the connect alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from edge_site import SecurePod, Site
from ingress_objects import endpoints, route, service
from ingress_rig import Pod, until
from tls_rig import Ca

pytestmark = pytest.mark.live
CHECKS = {
    "router.openshift.io/haproxy.health.check.interval": "200ms",
    "haproxy.router.openshift.io/balance": "roundrobin",
    "haproxy.router.openshift.io/disable_cookies": "true",
}


def test_a_pod_whose_handshake_fails_is_down_until_it_succeeds(tmp_path: Path) -> None:
    site, ca, wrong = Site(tmp_path), Ca(), Ca("wrong")
    tls = {"termination": "reencrypt", "destinationCACertificate": ca.pem}
    good, bad = SecurePod("good", ca.server("web.t")), SecurePod("bad", wrong.server("web.t"))
    with good, bad:
        site.put(
            service("web"),
            *endpoints("web", good.where, bad.where),
            route("web", "web.t", "web", tls=tls, annotations=CHECKS),
        )
        key = f"down/{bad.where[0]}:{bad.where[1]}"
        with site.router() as router:
            down = until("the bad one is down", lambda: router.debug("down"))
            assert list(down) == [key]
            assert "TLS: the certificate is not accepted" in down[key]
            # Nothing is tried there any more: every request reaches the good one at once.
            assert [site.curl("https://web.t/", "-k")[0] for _ in range(4)] == ["200"] * 4
            assert good.requests == 4
            assert set(good.names) == {"web.t"}
            assert (bad.requests, router.get("/metrics")[1].count("endpoints_down 1")) == (0, 1)
            tls["destinationCACertificate"] = ca.pem + wrong.pem
            site.put(
                service("web"),
                *endpoints("web", good.where, bad.where),
                route("web", "web.t", "web", tls=tls, annotations=CHECKS),
            )
            until("it is up", lambda: not router.debug("down"))
            until("it is asked", lambda: site.curl("https://web.t/", "-k")[0] and bad.requests)


def test_a_pod_that_two_routes_speak_to_differently_is_connected_to(tmp_path: Path) -> None:
    site, ca = Site(tmp_path), Ca()
    tls = {"termination": "reencrypt", "destinationCACertificate": ca.pem}
    pods = SecurePod("one", ca.server("web.t")), Pod("plain")
    with pods[0], pods[1]:
        site.put(
            service("web"),
            *endpoints("web", pods[0].where, pods[1].where),
            route("web", "web.t", "web", tls=tls, annotations=CHECKS),
            route("plain", "plain.t", "web", annotations=CHECKS),
        )
        with site.router() as router:
            pods[1].kill()
            down = until("the dead one is down", lambda: router.debug("down"))
            assert list(down.values()) == ["Connection refused"]
            assert site.curl("https://web.t/", "-k")[0] == "200"
