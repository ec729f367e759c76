"""sslyze's judgement of an edge Route, against Mozilla's "intermediate" profile.

`make scan` installs sslyze in an environment of its own (its cryptography is another one) and runs
this.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ingress_objects import controller, endpoints, route, service
from ingress_rig import Daemon, Manifests, Pod, address, free_port

pytestmark = pytest.mark.live
SSLYZE = Path(__file__).resolve().parents[2] / ".venv-sslyze" / "bin" / "sslyze"


@pytest.mark.skipif(not SSLYZE.exists(), reason="sslyze is not installed: make scan")
def test_the_default_profile_is_mozillas_intermediate(tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    manifests = Manifests(tmp_path / "manifests")
    host = address()
    http, https = free_port(host), free_port(host)
    with Pod("pod-1") as pod:
        manifests.put(
            "site",
            controller("apps", http, https),
            service("web"),
            *endpoints("web", pod.where),
            route("a", "a.apps.example.test", "web", tls={"termination": "edge"}),
        )
        usual = ("--name", "apps", "--bind", host, "--allow-loopback-endpoints")
        with Daemon("podway-router", manifests, *usual, "--state-dir", str(tmp_path / "state")):
            command = [str(SSLYZE), "--sni", "a.apps.example.test", f"{host}:{https}"]
            command += ["--mozilla_config", "intermediate"]
            command += ["--certinfo_ca_file", str(tmp_path / "state" / "ca.pem")]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert f"{host}:{https}: OK - Compliant." in done.stdout, done.stdout[-2000:]
    assert "VULNERABLE" not in done.stdout
