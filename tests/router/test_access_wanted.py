"""From `spec.logging.access` to the entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ingress_objects import controller
from ingress_rig import Manifests

from podway_cluster import Snapshot, load
from podway_router.access.captures import Captures
from podway_router.access.settings import AccessEntry, captures_of, read_access
from podway_router.access.wanted import access_entry, access_problems, watching


def read(tmp_path: Path, access: dict[str, Any] | None, **spec: Any) -> Snapshot:
    if access is not None:
        spec["logging"] = {"access": access}
    Manifests(tmp_path).put("site", controller("apps", 8080, 8443, **spec))
    return load([tmp_path])


def the(snapshot: Snapshot) -> Any:
    (found,) = snapshot.ingress_controllers.values()
    return found


def test_all_that_can_be_asked_for(tmp_path: Path) -> None:
    syslog = {"address": "10.0.0.9", "port": 514, "facility": "local7", "maxLength": 4096}
    asked = {
        "destination": {"type": "Syslog", "syslog": syslog},
        "httpLogFormat": "%ci",
        "httpCaptureHeaders": {
            "request": [{"name": "Host", "maxLength": 20}],
            "response": [{"name": "Server", "maxLength": 30}],
        },
        "httpCaptureCookies": [{"matchType": "Exact", "name": "a", "maxLength": 5}],
        "logEmptyRequests": "Ignore",
    }
    snapshot = read(tmp_path, asked, httpEmptyRequestsPolicy="Ignore")
    assert not snapshot.problems
    made = access_entry(the(snapshot))
    assert made is not None
    assert read_access(made._asdict()) == made
    assert made[:5] == ("10.0.0.9", 514, 23, 4096, "%ci")
    assert captures_of(made) == Captures((("Host", 20),), (("Server", 30),), ("a=", 5))
    assert watching(the(snapshot)) == {
        "access": made._asdict(),
        "ignore_empty": True,
        "log_empty": False,
    }


def test_the_least(tmp_path: Path) -> None:
    snapshot = read(tmp_path, {"destination": {"type": "Container"}})
    assert access_entry(the(snapshot)) == AccessEntry(request=[], response=[])
    assert not list(access_problems(the(snapshot)))
    without = read(tmp_path, None)
    assert watching(the(without)) == {"access": None, "ignore_empty": False, "log_empty": True}


def test_prefixes_and_lengths(tmp_path: Path) -> None:
    cookie = {"matchType": "Prefix", "namePrefix": "se", "maxLength": 9}
    container = {"type": "Container", "container": {"maxLength": 8192}}
    snapshot = read(tmp_path, {"destination": container, "httpCaptureCookies": [cookie]})
    made = access_entry(the(snapshot))
    assert made is not None
    assert made.most == 8192
    assert made.cookie == ["se", 9]


def test_what_is_wrong(tmp_path: Path) -> None:
    syslog = {"address": "no.address", "port": 0, "facility": "local9", "maxLength": 100}
    asked = {
        "destination": {"type": "Syslog", "syslog": syslog},
        "httpCaptureHeaders": {"request": [{"name": "a b", "maxLength": 5}, {"name": "c"}]},
        "httpCaptureCookies": [{"matchType": "Other"}, {"matchType": "Exact"}],
    }
    snapshot = read(tmp_path, asked)
    fields = {problem.field.removeprefix("spec.logging.access.") for problem in snapshot.problems}
    assert {
        "destination.syslog.address",
        "destination.syslog.port",
        "destination.syslog.facility",
        "destination.syslog.maxLength",
        "httpCaptureHeaders.request[0].name",
        "httpCaptureHeaders.request[1].maxLength",
        "httpCaptureCookies",
        "httpCaptureCookies[0].matchType",
    } <= fields


def test_a_format_that_is_not_understood_names_its_place(tmp_path: Path) -> None:
    asked = {"destination": {"type": "Container"}, "httpLogFormat": "%ci %nothing %[x]"}
    first, second = access_problems(the(read(tmp_path, asked)))
    assert first.field == "spec.logging.access.httpLogFormat"
    assert first.line > 0
    assert "%nothing" in first.message
    assert "sample 'x' is not known" in second.message
