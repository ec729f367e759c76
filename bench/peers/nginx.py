"""nginx, Debian's: `stream` for TCP, `http` with kept upstream connections. Also the HTTP pod.

`stream` can neither splice nor wait for a client's first bytes (`deferred` came with 1.25.5).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bench.peers import program
from bench.peers.peer import HOST, Launch, Mode, Peer, Setup

STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

MAIN = """
{modules}
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections {slots}; }}
"""

STREAM = """
stream {{
  access_log off; proxy_timeout 1h; proxy_buffer_size 64k;
  server {{ listen 127.0.0.1:{web.listen} backlog=4096; proxy_pass 127.0.0.1:{web.pod}; }}
  server {{ listen 127.0.0.1:{bulk.listen} backlog=4096; proxy_pass 127.0.0.1:{bulk.pod}; }}
}}
"""

HTTP = """
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 1h;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  {servers}
}}
"""

PROXY = """
  upstream pods {{ server 127.0.0.1:{web.pod}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{web.listen} backlog=4096 deferred{tls}; server_name {host};
    location / {{
      proxy_pass http://pods; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Proto {proto};
      proxy_set_header Forwarded "for=$remote_addr;host=$http_host;proto={proto}";
    }}
  }}
"""

POD = """
  server {{
    listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "{page}"; }}
    location = {big} {{ root {folder}; sendfile on; }}
  }}
"""
TLS = """
    ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
    ssl_protocols TLSv1.3; ssl_session_cache shared:tls:4m;
"""
BIG = "/big"
"""The path of the long answer."""
PAGE = "x" * 200


def find(_venv: Path) -> Peer | None:
    """Give Debian's nginx; without its stream module it has no TCP mode."""
    binary = program.find("nginx")
    if binary is None:
        return None
    modes: dict[str, Mode] = {"http": partial(http, binary), "tls": partial(tls, binary)}
    if STREAM_MODULE.exists():
        modes["tcp"] = partial(tcp, binary)
    return Peer("nginx", program.version(binary, "-v"), modes)


def tcp(binary: str, setup: Setup) -> Launch:
    """Relay both ports."""
    main = MAIN.format(
        modules=f"load_module {STREAM_MODULE};", folder=setup.folder, slots=2 * setup.connections
    )
    return _launch(binary, setup.folder, main + STREAM.format(**setup._asdict()))


def http(binary: str, setup: Setup) -> Launch:
    """Route requests by host, with forwarded headers."""
    return _proxy(binary, setup, PROXY.format(**setup._asdict(), host=HOST, tls="", proto="http"))


def tls(binary: str, setup: Setup) -> Launch:
    """Do so for HTTPS."""
    keys = TLS.format(**setup._asdict())
    words = {"host": f"{HOST};{keys}", "tls": " ssl", "proto": "https"}
    return _proxy(binary, setup, PROXY.format(**setup._asdict(), **words).replace("\n;", "\n"))


def _proxy(binary: str, setup: Setup, servers: str) -> Launch:
    main = MAIN.format(modules="", folder=setup.folder, slots=2 * setup.connections)
    return _launch(binary, setup.folder, main + HTTP.format(folder=setup.folder, servers=servers))


def pod(binary: str, folder: Path, port: int, connections: int, size: int) -> Launch:
    """Answer every request with a small page, and that for `BIG` with so many bytes."""
    with (folder / BIG[1:]).open("wb") as file:
        file.truncate(size)
    main = MAIN.format(modules="", folder=folder, slots=connections)
    servers = POD.format(port=port, page=PAGE, big=BIG, folder=folder)
    return _launch(binary, folder, main + HTTP.format(folder=folder, servers=servers))


def _launch(binary: str, folder: Path, text: str) -> Launch:
    path = folder / "nginx.conf"
    path.write_text(text)
    return Launch([binary, "-e", str(folder / "start.log"), "-c", str(path)])
