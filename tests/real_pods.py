"""Pods that people run: nginx with files, and an ASGI application under uvicorn."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ingress_rig import address, free_port, until

Where = tuple[str, int]
HERE = Path(__file__).resolve().parent

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  types {{ text/html html; text/plain txt; application/octet-stream bin; }}
  client_body_temp_path {folder}/client;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 50;
  server {{
    listen {host}:{port}{tls};
    root {folder}/files;
    location /packed/ {{ alias {folder}/files/; gzip on; gzip_min_length 1; }}
    location /gone {{ return 410 "gone\\n"; }}
  }}
}}
"""
TLS = """ ssl;
    ssl_certificate {pem};
    ssl_certificate_key {pem}"""


@contextlib.contextmanager
def nginx(folder: Path, pem: Path | None = None) -> Iterator[Where]:
    """Serve the files of `folder/files`; inside TLS with `pem` (certificate and key)."""
    where = address()
    port = free_port(where)
    (folder / "files").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    tls = TLS.format(pem=pem) if pem else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, host=where, port=port, tls=tls))
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program, "nginx is not installed: sudo apt-get install nginx-light"
    # As root, nginx's workers would be nobody's and could not read a test's folder.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    command = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), *user]
    with _running(command, (where, port), folder / "nginx.log"):
        yield where, port


@contextlib.contextmanager
def uvicorn(folder: Path) -> Iterator[Where]:
    """Run tests/asgi_app.py."""
    where = address()
    port = free_port(where)
    command = [sys.executable, "-m", "uvicorn", "asgi_app:app", "--app-dir", str(HERE)]
    command += ["--host", where, "--port", str(port), "--http", "h11", "--no-access-log"]
    folder.mkdir(parents=True, exist_ok=True)
    with _running(command, (where, port), folder / "uvicorn.log"):
        yield where, port


@contextlib.contextmanager
def _running(command: list[str], where: Where, log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        until(f"{command[0]} listens", lambda: _listens(process, where, log))
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(process: subprocess.Popen[bytes], where: Where, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        socket.create_connection(where, timeout=1).close()
    except OSError:
        return False
    return True
