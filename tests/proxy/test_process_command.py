from __future__ import annotations

import pytest

from podway_proxy.process import command
from podway_proxy.process.command import Parser, parser


def made(environ: dict[str, str]) -> Parser:
    built = parser("podway-x", "A daemon.", environ)
    built.option("--name", required=True, action="append", metavar="NAME")
    built.option("--loopback", action="store_true")
    return built


def test_defaults() -> None:
    options = made({}).parse_args(["--name", "a"])
    assert vars(options) == {
        "manifests": [],
        "check": False,
        "admin": None,
        "log_format": None,
        "log_level": "info",
        "workers": command.cores(),
        "user": None,
        "state_dir": None,
        "drain_wait": 5.0,
        "drain_timeout": 20.0,
        "name": ["a"],
        "loopback": False,
    }


def test_every_option_can_come_from_the_environment() -> None:
    environ = {
        "PODWAY_MANIFESTS": "manifests/apps, manifests/lab",
        "PODWAY_CHECK": "yes",
        "PODWAY_ADMIN": "[::1]:9000",
        "PODWAY_LOG_FORMAT": "json",
        "PODWAY_WORKERS": "3",
        "PODWAY_DRAIN_WAIT": "0.5",
        "PODWAY_NAME": "a,b",
        "PODWAY_LOOPBACK": "0",
    }
    options = made(environ).parse_args([])
    assert options.manifests == ["manifests/apps", "manifests/lab"]
    assert (options.check, options.loopback) == (True, False)
    assert options.admin == ("::1", 9000)
    assert (options.log_format, options.workers, options.drain_wait) == ("json", 3, 0.5)
    assert options.name == ["a", "b"]


def test_the_command_line_replaces_what_the_environment_says() -> None:
    environ = {"PODWAY_MANIFESTS": "a", "PODWAY_NAME": "x", "PODWAY_WORKERS": "rubbish"}
    argv = ["--manifests", "b", "--manifests", "c", "--name", "y", "--workers", "1"]
    options = made(environ).parse_args(argv)
    assert (options.manifests, options.name, options.workers) == (["b", "c"], ["y"], 1)


@pytest.mark.parametrize(
    ("environ", "argv", "said"),
    [
        ({}, [], "required: --name"),
        ({"PODWAY_WORKERS": "0"}, ["--name", "a"], "PODWAY_WORKERS: '0': expected a number"),
        ({"PODWAY_CHECK": "maybe"}, ["--name", "a"], "PODWAY_CHECK: 'maybe': expected 1 or 0"),
        ({"PODWAY_LOG_LEVEL": "loud"}, ["--name", "a"], "PODWAY_LOG_LEVEL: 'loud': expected one"),
        ({}, ["--name", "a", "--admin", "host:80"], "expected a numeric address"),
        ({}, ["--name", "a", "--admin", "127.0.0.1"], "expected ADDRESS:PORT"),
        ({}, ["--name", "a", "--workers", "65"], "expected a number from 1 to 64"),
        ({}, ["--name", "a", "--drain-wait=-1"], "expected seconds from 0 to 86400"),
        ({}, ["--name", "a", "--drain-wait", "1e99"], "expected seconds"),
        ({}, ["--name", "a", "--drain-wait", "1x"], "expected seconds"),
        ({}, ["--name", "a", "--work", "1"], "unrecognized arguments"),
    ],
)
def test_what_is_wrong_is_said_and_is_a_usage_error(
    environ: dict[str, str], argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        made(environ).parse_args(argv)
    assert ended.value.code == command.USAGE
    assert said in capsys.readouterr().err


def test_the_options_are_documented_with_their_defaults() -> None:
    text = made({}).format_help()
    for word in ("--manifests DIR", "--drain-timeout SECONDS", "default: 20", "PODWAY_DRAIN_WAIT"):
        assert word in text
