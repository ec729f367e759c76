from __future__ import annotations

import json

from podway_lb.entry import ServiceEntry, label_of_key, read, service_key


def test_entries_survive_json() -> None:
    entry = ServiceEntry(["tcp 127.0.2.1:80"], [("127.1.1.1", 1, "n")], "source", True, ["::/0"])
    carried = read(json.loads(json.dumps(entry._asdict())))
    assert carried._replace(endpoints=[tuple(one) for one in carried.endpoints]) == entry


def test_labels() -> None:
    key = service_key("openshift-ingress", "router-apps", "http")
    assert label_of_key(key) == "service openshift-ingress/router-apps http"
