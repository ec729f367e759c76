"""One engine, one image, and one lab for each Compose that is installed."""

from __future__ import annotations

from collections.abc import Iterator

import compose_engine
import compose_image
import compose_lab
import pytest
from compose_engine import Engine
from compose_image import Images
from compose_lab import ROOT, Compose, Lab, Say

BUILD_SECONDS = 600.0


FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Say:
    """Note a figure for the end of the run."""
    figures: list[str] = pytestconfig.stash.setdefault(FIGURES, [])
    return figures.append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def engine(say: Say) -> Iterator[Engine]:
    with compose_engine.engine() as found:
        say(f"engine {found.version}{', started for the test' if found.own else ''}")
        yield found


@pytest.fixture(scope="session", params=["1", "2"])
def compose(request: pytest.FixtureRequest, engine: Engine, say: Say) -> Compose:
    """Compose 1 and Compose 2; one of them may be missing."""
    found = compose_lab.composes(engine.environment)
    assert found, "no Compose: sudo apt-get install docker-compose"
    chosen = next((one for one in found if (one.version[0] == "1") == (request.param == "1")), None)
    if chosen is None:
        pytest.skip(f"no Compose {request.param} here; there is {found[0].version}")
    say(f"ran with Compose {chosen.version}")
    return chosen


@pytest.fixture(scope="session")
def images(engine: Engine) -> Iterator[Images]:
    made = Images()
    compose_image.build_base(engine, made.base)
    yield made
    if not engine.own:
        engine.docker("image", "rm", made.base, f"{made.base}-debian")


@pytest.fixture(scope="session")
def image(engine: Engine, compose: Compose, images: Images) -> Iterator[str]:
    """Podway's image, built by Compose from the repository."""
    settings = {
        "PODWAY_BASE": images.base,
        "PODWAY_IMAGE": images.podway,
        "PODWAY_BUILD_NETWORK": "host",
    }
    command = [*compose.command, "-f", str(ROOT / "docker-compose.yml"), "build"]
    compose_engine.run(command, engine.environment | settings, BUILD_SECONDS)
    yield images.podway
    if not engine.own:
        engine.docker("image", "rm", images.podway)


@pytest.fixture(scope="session")
def lab(
    engine: Engine, compose: Compose, image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    directory = tmp_path_factory.mktemp("compose")
    with compose_lab.running(engine, compose, image, directory) as running:
        yield running
