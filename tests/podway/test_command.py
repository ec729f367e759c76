from __future__ import annotations

from pathlib import Path

import pytest

from podway.command import main, parser

ROOT = Path(__file__).resolve().parents[2]


def test_check_exits_with_0_or_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *(str(ROOT / "manifests" / part) for part in ("apps", "lab"))]) == 0
    (tmp_path / "bad.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {}\n")
    assert main(["check", str(tmp_path)]) == 1
    assert f"{tmp_path}/bad.yaml:1: " in capsys.readouterr().out


def test_a_missing_directory_is_a_message_and_no_trace_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path / "gone")]) == 3
    assert "gone: no such directory" in capsys.readouterr().err


def test_trace_of_what_is_no_url_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "ftp://x"]) == 2
    assert "expected http://" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "٣"])
def test_ports_are_checked(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["up", f"--http-port={port}"])
    assert caught.value.code == 2
    assert "expected a port" in capsys.readouterr().err


def test_without_a_command_the_commands_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "COMMAND" in capsys.readouterr().err
