"""A router with edge and reencrypt Routes, and the real clients that ask it."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

from ingress_objects import Object, controller, endpoints, service
from ingress_rig import Daemon, Manifests, Pod, Server, address, free_port


class SecurePod(Pod):
    """The same pod inside TLS."""

    def __init__(self, name: str, context: ssl.SSLContext) -> None:
        self.names: list[str | None] = []
        context.sni_callback = lambda _sock, sni, _context: self.names.append(sni)
        self._context = context
        super().__init__(name)

    def _make(self, where: tuple[str, int]) -> Server:
        server = super()._make(where)
        server.socket = self._context.wrap_socket(server.socket, server_side=True)
        return server


class Site:
    """A router with edge and reencrypt Routes."""

    def __init__(self, directory: Path) -> None:
        (directory / "manifests").mkdir()
        self.directory = directory
        self.manifests = Manifests(directory / "manifests")
        self.host = address()
        self.http, self.https = free_port(self.host), free_port(self.host)
        self.ca = directory / "state" / "ca.pem"
        self.spec: dict[str, Any] = {}
        self.objects: list[Object] = []

    def put(self, *objects: object) -> None:
        apps = controller("apps", self.http, self.https, **self.spec)
        self.manifests.put("site", apps, *self.objects, *objects)

    def pod(self, name: str, pod: Pod, port: str = "http") -> list[Object]:
        return [service(name), *endpoints(name, pod.where, port=port)]

    def router(self, *arguments: str, workers: int = 1) -> Daemon:
        usual = ("--name", "apps", "--bind", self.host, "--allow-loopback-endpoints")
        state = ("--state-dir", str(self.directory / "state"))
        return Daemon("podway-router", self.manifests, *usual, *state, *arguments, workers=workers)

    def curl(self, url: str, *arguments: str, ca: Path | None = None) -> tuple[str, str]:
        """(status, body); the status is curl's exit code in brackets where it failed."""
        host = url.split("/")[2]
        scheme, port = (443, self.https) if url.startswith("https") else (80, self.http)
        command = ["curl", "-sS", "--max-time", "20", "--cacert", str(ca or self.ca), *arguments]
        command += ["--connect-to", f"{host}:{scheme}:{self.host}:{port}"]
        ended = subprocess.run(
            [*command, url, "-w", "\n%{http_code}"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        body, _, status = ended.stdout.rpartition("\n")
        return (status if not ended.returncode else f"[{ended.returncode}]"), body

    def openssl(self, *arguments: str, say: str = "") -> str:
        """What `openssl s_client` prints."""
        target = f"{self.host}:{self.https}"
        ended = subprocess.run(
            ["openssl", "s_client", "-connect", target, *arguments],
            input=say,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return ended.stdout + ended.stderr
