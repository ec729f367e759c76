"""Real daemons, pods and clients for the live tests of the load balancer and the router."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

BIN = Path(sys.executable).parent
PATIENCE = 20.0
"""Seconds for anything to become true on a busy machine."""
T = TypeVar("T")

_NET = f"127.{random.Random(os.getpid()).randrange(16, 250)}.{random.randrange(1, 250)}"
_last = itertools.count(1)


def address() -> str:
    """Give a loopback address that nobody else uses: tests may run side by side."""
    return f"{_NET}.{next(_last) % 253 + 1}"


def free_port(host: str) -> int:
    """Give a port that is free at the moment."""
    with socket.socket() as sock:
        sock.bind((host, 0))
        port: int = sock.getsockname()[1]
        return port


def until(what: str, look: Callable[[], T]) -> T:
    """Wait for `look` to give something true; fail naming `what` when it never does."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE:g} s: {what}")
        time.sleep(0.02)


class Manifests:
    """A directory of objects; a file replaces its former content at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def put(self, name: str, *objects: Any) -> None:
        """Write objects, or lists of them, as one List."""
        items = list(_flat(objects))
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)
        self.text(f"{name}.json", text)

    def text(self, file: str, text: str) -> None:
        """Write a file as it is."""
        new = self.directory / f".{file}.new"
        new.write_text(text)
        new.replace(self.directory / file)


def _flat(objects: Iterable[Any]) -> Iterator[Any]:
    for one in objects:
        if isinstance(one, list):
            yield from _flat(one)
        else:
            yield one


class Daemon:
    """A daemon of ours, with an admin port."""

    def __init__(self, program: str, manifests: Manifests, *arguments: str, workers: int = 2):
        self.admin = (address(), 0)
        self.admin = (self.admin[0], free_port(self.admin[0]))
        self.log = manifests.directory.parent / f"{program}-{self.admin[0]}.log"
        command = [str(BIN / program), "--manifests", str(manifests.directory)]
        command += ["--admin", f"{self.admin[0]}:{self.admin[1]}", "--workers", str(workers)]
        command += ["--log-format", "json", "--drain-wait", "0", "--drain-timeout", "3"]
        self.output = self.log.with_suffix(".out")
        with self.log.open("wb") as log, self.output.open("wb") as output:
            self.process = subprocess.Popen([*command, *arguments], stderr=log, stdout=output)

    def ready(self) -> Daemon:
        """Wait until it says that it is ready."""
        until("the daemon is ready", self._is_ready)
        return self

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"it ended: {self.log.read_text()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/healthz/ready")[0] == 200
        return False

    def get(self, path: str) -> tuple[int, str]:
        """Ask its admin port."""
        connection = http.client.HTTPConnection(*self.admin, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def debug(self, page: str) -> Any:
        """Give a debug page."""
        status, text = self.get(f"/debug/{page}")
        assert status == 200, text
        return json.loads(text)

    def events(self) -> list[dict[str, Any]]:
        """Give the log's records so far."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def pids(self, role: str) -> list[int]:
        """Give the processes of a role: `loader` or `worker`, oldest first."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError, ValueError, IndexError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if parent == self.process.pid and role.encode() in words:
                    found.append(int(entry.name))
        return sorted(found)

    def stop(self) -> int:
        """End it and give its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def __enter__(self) -> Daemon:
        return self.ready()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        tracebacks = [one for one in self.events() if "traceback" in one]
        assert not tracebacks, tracebacks[0]["traceback"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        pod = self.server.pod
        pod.took(held="X-Hold" in self.headers)
        answer = {
            "pod": pod.name,
            "path": self.path,
            "method": self.command,
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "peer": self.client_address[0],
        }
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for line in self.headers.get_all("X-Answer", []):
            name, _, value = line.partition(": ")
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        pod.answered()

    do_POST = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    pod: Pod

    def __init__(self, where: tuple[str, int], pod: Pod) -> None:
        self.pod = pod
        self.open: set[socket.socket] = set()
        super().__init__(where, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: peers that leave are part of the tests."""


class Pod:
    """A small HTTP server that says who it is and what it was asked.

    Each `X-Answer: Name: value` of a request becomes a field of the answer; a request with X-Hold
    is answered when the pod is `released`.
    """

    def __init__(self, name: str, host: str = "", port: int = 0) -> None:
        self.name = name
        self.requests = self.held = self.under_way = 0
        self.released = threading.Event()
        self._counting = threading.Lock()
        self._server = self._make((host or address(), port))
        self.where: tuple[str, int] = self._server.socket.getsockname()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def _make(self, where: tuple[str, int]) -> Server:
        return Server(where, self)

    def took(self, held: bool) -> None:
        """Count a request, and hold it back until `released` is set."""
        with self._counting:
            self.requests += 1
            self.under_way += 1
            self.held += held
        if held:
            self.released.wait(PATIENCE)

    def answered(self) -> None:
        """Count its answer."""
        with self._counting:
            self.under_way -= 1

    def kill(self) -> None:
        """End as a killed process does: all connections are gone."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for sock in list(self._server.open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    @property
    def alive(self) -> bool:
        """It has not been killed."""
        return self._thread.is_alive()

    def __enter__(self) -> Pod:
        return self

    def __exit__(self, *_: object) -> None:
        if self.alive:
            self.kill()


def get(
    where: tuple[str, int], host: str, path: str = "/", source: str = "", **headers: str
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Ask once; give status, the pod's JSON (or the page under `page`), the headers."""
    bound = (source, 0) if source else None
    connection = http.client.HTTPConnection(*where, timeout=PATIENCE, source_address=bound)
    try:
        return ask(connection, host, path, **headers)
    finally:
        connection.close()


def ask(
    connection: http.client.HTTPConnection,
    host: str,
    path: str = "/",
    method: str = "GET",
    **headers: str,
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Ask on a connection that stays open."""
    connection.request(method, path, headers={"Host": host, **headers})
    response = connection.getresponse()
    text = response.read().decode()
    fields = {name.lower(): value for name, value in response.getheaders()}
    is_json = fields.get("content-type") == "application/json"
    return response.status, json.loads(text) if is_json else {"page": text}, fields


class Load:
    """Clients that keep asking on kept connections; what is not 200 is noted."""

    def __init__(
        self, where: tuple[str, int], host: str, clients: int = 4, method: str = "GET"
    ) -> None:
        self.where, self.host, self.method = where, host, method
        self.answers: Counter[str] = Counter()
        self.faults: list[str] = []
        self.reconnects = 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        until("the load runs", lambda: sum(self.answers.values()) > 20 or self.faults)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection(*self.where, timeout=PATIENCE)
        while not self._over.is_set():
            try:
                status, body, headers = ask(connection, self.host, method=self.method)
            except (OSError, http.client.HTTPException) as error:
                self.faults.append(repr(error))
                connection.close()
                continue
            if status == 200:
                self.answers[body["pod"]] += 1
            else:
                self.faults.append(f"{status} {body}")
            if headers.get("connection", "").lower() == "close":
                self.reconnects += 1
        connection.close()


@contextlib.contextmanager
def held(where: tuple[str, int]) -> Iterator[socket.socket]:
    """Connect and stay."""
    with socket.create_connection(where, timeout=PATIENCE) as sock:
        yield sock
