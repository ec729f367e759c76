"""What a container may do, and what the image weighs."""

from __future__ import annotations

import json

import pytest
from compose_engine import Engine
from compose_image import Images
from compose_lab import DAEMONS, PODS, Lab, Say

pytestmark = pytest.mark.compose

MOST_BYTES = 120_000_000


@pytest.mark.parametrize("service", [*DAEMONS, *PODS])
def test_no_root_no_capability_no_writing(lab: Lab, service: str) -> None:
    status = lab.inside(service, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert {int(fields[f"Cap{kind}"], 16) for kind in ("Eff", "Prm", "Bnd", "Amb")} == {0}
    assert fields["NoNewPrivs"] == "1"
    assert lab.inspect(service)["HostConfig"]["ReadonlyRootfs"]


def test_the_time_to_stop_exceeds_the_drain(lab: Lab) -> None:
    for service in DAEMONS:
        config = lab.inspect(service)["Config"]
        settings = dict(line.split("=", 1) for line in config["Env"])
        drain = sum(float(settings[f"PODWAY_DRAIN_{part}"]) for part in ("WAIT", "TIMEOUT"))
        assert config["StopTimeout"] > drain + 2


def test_the_image_is_small(engine: Engine, image: str, images: Images, say: Say) -> None:
    sizes = (json.loads(engine.docker("inspect", name))[0]["Size"] for name in (image, images.base))
    ours, base = sizes
    say(f"the image is {ours - base:,} bytes over its base")
    assert ours - base <= MOST_BYTES
