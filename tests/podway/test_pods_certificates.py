from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from podway.pods.certificates import authority


def test_a_client_that_trusts_the_ca_accepts_the_pod(tmp_path: Path) -> None:
    server = authority(tmp_path).context(["secure.test", "other.test"])
    client = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        serving = threading.Thread(
            target=lambda: server.wrap_socket(theirs, server_side=True).close()
        )
        serving.start()
        with client.wrap_socket(ours, server_hostname="other.test") as wrapped:
            assert wrapped.getpeercert()["subject"] == ((("commonName", "secure.test"),),)
        serving.join()


def test_the_ca_is_kept_and_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    first, second = authority(tmp_path), authority(tmp_path)
    assert first.certificate == second.certificate
    assert (tmp_path / "ca-key.pem").stat().st_mode & 0o777 == 0o600


def test_no_other_key_touches_the_disk(tmp_path: Path) -> None:
    authority(tmp_path).context(["secure.test"])
    assert {file.name for file in tmp_path.iterdir()} == {"ca.pem", "ca-key.pem"}


def test_a_broken_ca_says_so(tmp_path: Path) -> None:
    for name in ("ca.pem", "ca-key.pem"):
        (tmp_path / name).write_text("garbage")
    with pytest.raises(ValueError, match="PEM"):
        authority(tmp_path)
