"""What is compiled step by step is what compiling all at once gives, whatever changed."""

from __future__ import annotations

import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from router_claims import claims
from tls_rig import Ca

from podway_cluster.model import (
    EndpointSlice,
    Ingress,
    IngressController,
    Meta,
    Pod,
    Route,
    Service,
)
from podway_cluster.model.controller import RouteAdmission
from podway_cluster.model.endpoints import EndpointPort, SliceEndpoint
from podway_cluster.model.ingress import IngressBackend, IngressPath, IngressRule, IngressTls
from podway_cluster.model.meta import Hidden
from podway_cluster.model.route import RouteBackend, RouteTls
from podway_cluster.model.service import ServicePort
from podway_cluster.snapshot import Snapshot, build
from podway_router.admission import Policy, admit
from podway_router.admitted import Admitted, readmit
from podway_router.compile import compile_snapshot
from podway_router.material import Material
from podway_router.options import Options

CA = Ca()
PAIRS = [CA.pair("h.t", days=90), CA.pair("h.t", days=10)]
TLS = [
    None,
    RouteTls("edge"),
    RouteTls("passthrough"),
    RouteTls("reencrypt", destination_ca_certificate=CA.pem),
    *(RouteTls("edge", certificate=chain, key=Hidden(key)) for chain, key in PAIRS),
]
MATERIAL = Material(datetime.datetime.now(datetime.UTC), ca=CA.pem)
SPACES, NAMES = ("n", "m"), ("a", "b", "c")
OPTIONS = Options(("apps", "ext"), allow_loopback=True)


def controllers() -> list[IngressController]:
    open_one = RouteAdmission("InterNamespaceAllowed", "WildcardsAllowed")
    found = []
    for number, name in enumerate(OPTIONS.names):
        one = IngressController(Meta("IngressController", "o", name), domain="d.t")
        ports = one.endpoint_publishing_strategy._replace(
            http_port=1000 + number, https_port=2000 + number, stats_port=0
        )
        one = one._replace(endpoint_publishing_strategy=ports)
        found.append(one._replace(route_admission=open_one) if number else one)
    return found


CONTROLLERS = controllers()


@st.composite
def routes(draw: st.DrawFn, key: tuple[str, str]) -> Route:
    wildcard = draw(st.sampled_from(["None", "None", "Subdomain"]))
    return Route(
        Meta("Route", *key, creation_timestamp=draw(st.sampled_from(["", "2025", "2026"]))),
        RouteBackend(draw(st.sampled_from(NAMES))),
        host=draw(st.sampled_from(["", "h.t", "i.t", "_"])),
        path=draw(st.sampled_from(["", "/p"])),
        tls=draw(st.sampled_from(TLS)),
        wildcard_policy=wildcard,
    )


@st.composite
def objects(draw: st.DrawFn, kind: str, space: str, name: str) -> Any:
    """Give one object of that name; the same arguments give equal or different ones."""
    if kind == "Route":
        return draw(routes((space, name)))
    meta = Meta(kind, space, name)
    if kind == "Service":
        selector = draw(st.sampled_from([{}, {"app": name}]))
        return Service(meta, ports=(ServicePort(80),), selector=selector)
    if kind == "Ingress":
        path = draw(st.sampled_from(["/", "/p", "/p/"]))
        path_type = draw(st.sampled_from(["Prefix", "Exact"]))
        backend = IngressBackend(draw(st.sampled_from(NAMES)), 80)
        rule = IngressRule("h.t", (IngressPath(backend, path, path_type),))
        tls = draw(st.sampled_from([(), (IngressTls(),)]))
        return Ingress(meta, rules=(rule,), tls=tls)
    host = f"127.128.1.{draw(st.integers(1, 3))}"
    if kind == "Pod":
        labelled = meta._replace(labels={"app": draw(st.sampled_from(NAMES))})
        return Pod(labelled, pod_ips=(host,), phase="Running", ready=True)
    return EndpointSlice(
        meta,
        service_name=draw(st.sampled_from(NAMES)),
        endpoints=(SliceEndpoint((host,)), SliceEndpoint(("127.128.1.9",))),
        ports=(EndpointPort(port=80),),
    )


NAMED = st.tuples(
    st.sampled_from(["Route", "Route", "Service", "EndpointSlice", "Pod", "Ingress"]),
    st.sampled_from(SPACES),
    st.sampled_from(NAMES),
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_step_by_step_as_all_at_once(data: st.DataObject) -> None:
    world: dict[tuple[str, str, str], Any] = {}
    before = None
    for _ in range(data.draw(st.integers(1, 4))):
        for named in data.draw(st.lists(NAMED, max_size=6)):
            if named in world and data.draw(st.booleans()):
                del world[named]
            else:
                world[named] = data.draw(objects(*named))
        snapshot: Snapshot = build([*CONTROLLERS, *world.values()])
        stepped = compile_snapshot(snapshot, OPTIONS, before, MATERIAL)
        whole = compile_snapshot(snapshot, OPTIONS, None, MATERIAL)
        assert stepped.compiled.entries == whole.compiled.entries
        assert stepped.routes == whole.routes
        assert stepped.expiring == whole.expiring
        assert stepped.compiled.problems == whole.compiled.problems
        assert set(stepped.compiled.probes) == set(whole.compiled.probes)
        before = stepped


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_admission_kept_up_to_date(data: st.DataObject, strict: bool, wildcards: bool) -> None:
    policy, state = Policy(strict, wildcards), Admitted()
    for _ in range(data.draw(st.integers(1, 4))):
        come = {claim.key: claim for claim in data.draw(claims())}
        gone = data.draw(st.sets(st.sampled_from(sorted(state.claims)))) if state.claims else set()
        before = state
        state, differing = readmit(state, gone | come.keys(), come.values(), policy)
        assert state.conditions == admit(state.claims.values(), policy)
        assert {
            key for key, found in state.conditions.items() if before.conditions.get(key) != found
        } <= differing
