from __future__ import annotations

from podway_cluster.model import IngressController, Meta
from podway_cluster.model.controller import PublishingStrategy
from podway_router.listen import clashes, disagreement, listeners
from podway_router.options import Options

HOME = "openshift-ingress-operator"


def controller(name: str = "apps", **strategy: object) -> IngressController:
    fields = {"http_port": 10080, "https_port": 10443, "stats_port": 11936, **strategy}
    return IngressController(
        Meta("IngressController", HOME, name),
        endpoint_publishing_strategy=PublishingStrategy(**fields),
    )


def test_ports_come_from_the_controller_on_every_bound_address() -> None:
    specs = listeners(controller(), Options(("apps",), binds=("127.1.1.1", "127.1.1.2")))
    assert [(spec.key, spec.admin) for spec in specs] == [
        ("http apps 127.1.1.1:10080", False),
        ("http apps 127.1.1.2:10080", False),
        ("https apps 127.1.1.1:10443", False),
        ("https apps 127.1.1.2:10443", False),
        ("stats apps 127.1.1.1:11936", True),
        ("stats apps 127.1.1.2:11936", True),
    ]
    assert specs[0].why.endswith("apps spec.endpointPublishingStrategy.httpPort")


def test_a_clients_address_chooses_its_worker_where_tls_may_be_resumed() -> None:
    specs = listeners(controller(), Options(("apps",), client_affinity=True))
    assert [spec.steered for spec in specs] == [False, True, False]
    assert not any(spec.steered for spec in listeners(controller(), Options(("apps",))))


def test_options_override_the_controllers_ports() -> None:
    options = Options(("apps",), http=("127.0.0.1", 8080), https=("127.0.0.1", 8443))
    specs = listeners(controller(stats_port=0), options)
    assert [(spec.host, spec.port, spec.why) for spec in specs] == [
        ("127.0.0.1", 8080, "--http"),
        ("127.0.0.1", 8443, "--https"),
    ]


def test_two_controllers_on_one_port_are_named() -> None:
    options = Options(("apps", "ext"))
    specs = [*listeners(controller(), options), *listeners(controller("ext"), options)]
    found = clashes(specs)
    assert len(found) == 3
    assert found[0].startswith("0.0.0.0:10080 is asked for by ingresscontroller")
    assert "give one of them another port" in found[0]


def test_protocol_and_option_must_agree() -> None:
    trusted = Options(("apps",), trusted=("127.0.4.1/32",))
    assert disagreement(controller(protocol="PROXY"), trusted) == ""
    assert disagreement(controller(), Options(("apps",))) == ""
    assert "--proxy-protocol CIDR" in disagreement(controller(protocol="PROXY"), Options(("apps",)))
    assert "leave the option out" in disagreement(controller(), trusted)
