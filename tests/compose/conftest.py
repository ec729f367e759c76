"""One engine, one image, and one lab for each Compose that is installed."""

from __future__ import annotations

import contextlib
import time
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


@contextlib.contextmanager
def timed(say: Say, what: str) -> Iterator[None]:
    """Note how long the block took."""
    begun = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - begun:.0f} s")


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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with every Compose that is installed, if these tests are to run at all."""
    if "compose" in metafunc.fixturenames:
        chosen = metafunc.config.option.markexpr == "compose"
        found = compose_lab.composes() if chosen else ()
        names = [f"compose-{one.version}" for one in found]
        metafunc.parametrize("compose", found, ids=names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def compose(request: pytest.FixtureRequest, say: Say) -> Compose:
    chosen: Compose = request.param
    say(f"with Compose {chosen.version} ({' '.join(chosen.command)}):")
    return chosen


@pytest.fixture(scope="session")
def images(engine: Engine, say: Say) -> Iterator[Images]:
    made = Images()
    with timed(say, "base image"):
        compose_image.build_base(engine, made.base)
    yield made
    if not engine.own:
        engine.docker("image", "rm", made.base, f"{made.base}-debian")


@pytest.fixture(scope="session")
def image(engine: Engine, compose: Compose, images: Images, say: Say) -> Iterator[str]:
    """Podway's image, built by Compose from the repository."""
    settings = {
        "PODWAY_BASE": images.base,
        "PODWAY_IMAGE": images.podway,
        "PODWAY_BUILD_NETWORK": "host",
    }
    command = [*compose.command, "-f", str(ROOT / "docker-compose.yml"), "build"]
    with timed(say, "podway's image"):
        compose_engine.run(command, engine.environment | settings, BUILD_SECONDS)
    yield images.podway
    if not engine.own:
        engine.docker("image", "rm", images.podway)


@pytest.fixture(scope="session")
def lab(
    engine: Engine,
    compose: Compose,
    image: str,
    say: Say,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lab]:
    directory = tmp_path_factory.mktemp("compose")
    with contextlib.ExitStack() as stack:
        with timed(say, "up, until all are healthy"):
            lab = stack.enter_context(compose_lab.running(engine, compose, image, directory))
        yield lab
