"""HAProxy with a configuration of its own for the same Routes, as OpenShift's template has it.

The maps and the order of the rules are the template's: one regular expression per Route over host
and path, the longest first, wildcards last, redirects before the rest.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ingress_rig import until

from podway_proxy.values import Endpoint
from podway_router.sticky import usual_name, value_of

Address = tuple[str, int]
NAMESPACE = "shop"
"""Of all Routes."""


class Site(NamedTuple):
    """A Route as both routers are given it."""

    name: str
    host: str
    pods: tuple[Address, ...] = ()
    path: str = ""
    termination: str = ""
    insecure: str = "None"
    wildcard: bool = False
    forwarded: str = "append"
    weight: int = 1
    cookies: bool = True
    rules: tuple[str, ...] = ()
    """Further lines of HAProxy's backend."""
    server: str = ""
    """Further words of its servers."""

    @property
    def cookie(self) -> str:
        """The name of its cookie."""
        return usual_name(NAMESPACE, self.name)


CONFIGURATION = """
global
  maxconn 200
defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  timeout http-request 5s
  timeout http-keep-alive 5s
  retries 3
  option redispatch
{defaults}
frontend public
  bind {bind}
  http-request del-header Proxy
  http-request set-header Host %[req.hdr(Host),lower]
{frontend}
  acl secure_redirect base,map_reg_int({folder}/redirect.map) -m bool
  redirect scheme https if secure_redirect
  use_backend %[base,map_reg({folder}/http.map)] if {{ base,map_reg({folder}/http.map) -m found }}
  default_backend nothing
backend nothing
"""
APPEND = """
  option forwardfor
  http-request add-header X-Forwarded-Host %[req.hdr(host)]
  http-request add-header X-Forwarded-Port %[dst_port]
  http-request add-header X-Forwarded-Proto http
  http-request add-header Forwarded for=%[src];host=%[req.hdr(host)];proto=http
"""
REPLACE = """
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto http
  http-request set-header Forwarded for=%[src];host=%[req.hdr(host)];proto=http
"""
IF_NONE = """
  http-request set-header X-Forwarded-For %[src] if !{ req.hdr(X-Forwarded-For) -m found }
  http-request set-header X-Forwarded-Host %[req.hdr(host)] if !{ req.hdr(X-Forwarded-Host) -m found }
  http-request set-header X-Forwarded-Port %[dst_port] if !{ req.hdr(X-Forwarded-Port) -m found }
  http-request set-header X-Forwarded-Proto http if !{ req.hdr(X-Forwarded-Proto) -m found }
  http-request set-header Forwarded for=%[src];host=%[req.hdr(host)];proto=http if !{ req.hdr(Forwarded) -m found }
"""  # noqa: E501 - a rule is a line
POLICIES = {"append": APPEND, "replace": REPLACE, "if-none": IF_NONE, "never": "\n"}


@contextmanager
def haproxy(
    sites: Iterable[Site],
    bind: Address,
    folder: Path,
    defaults: str = "",
    frontend: Iterable[str] = (),
    more: str = "",
) -> Iterator[None]:
    """Run HAProxy on this address until the block ends.

    `defaults` and `frontend`: further lines of those sections; `more`: further sections.
    """
    sites = sorted(sites, key=lambda site: (not site.wildcard, pattern(site)), reverse=True)
    redirects = [site for site in sites if site.insecure == "Redirect"]
    served = [site for site in sites if not site.termination or site.insecure == "Allow"]
    _map(folder / "redirect.map", ((pattern(site), "1") for site in redirects))
    _map(folder / "http.map", ((pattern(site), site.name) for site in served))
    where = ":".join(map(str, bind))
    lines = "".join(f"  {line}\n" for line in frontend)
    text = CONFIGURATION.format(bind=where, folder=folder, defaults=defaults, frontend=lines)
    (folder / "haproxy.cfg").write_text(text + "".join(map(_backend, served)) + more)
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program, "haproxy is not installed: sudo apt-get install haproxy"
    with (folder / "haproxy.log").open("wb") as log:
        command = [program, "-db", "-f", str(folder / "haproxy.cfg")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until("HAProxy listens", lambda: _listens(process, bind, folder / "haproxy.log"))
        yield
    finally:
        process.terminate()
        process.wait(10)


def pattern(site: Site) -> str:
    """Give the template's regular expression over host and path."""
    host = re.escape(site.host)
    if site.wildcard:
        host = r"[^\.]*\." + re.escape(site.host.partition(".")[2])
    below = "(|.*)" if site.path.endswith("/") else "(|/.*)"
    return rf"^{host}\.?(:[0-9]+)?{re.escape(site.path)}{below}$"


def _map(file: Path, rows: Iterable[tuple[str, str]]) -> None:
    file.write_text("".join(f"{key} {value}\n" for key, value in rows))


def _backend(site: Site) -> str:
    servers = "".join(
        f"  server s{number} {host}:{port} cookie {cookie_of((host, port))} weight {site.weight}"
        f" {site.server}\n"
        for number, (host, port) in enumerate(site.pods)
    )
    cookie = f"  cookie {site.cookie} insert indirect nocache httponly" if site.cookies else ""
    if site.cookies and site.termination and site.insecure != "Allow":
        cookie += " secure attr SameSite=None"
    rules = "".join(f"  {rule}\n" for rule in site.rules)
    return f"backend {site.name}{POLICIES[site.forwarded]}{cookie}\n{rules}{servers}"


def cookie_of(pod: Address) -> str:
    """Give the value that stands for a pod; any would do for HAProxy, so it gets podway's."""
    return value_of(NAMESPACE, Endpoint(*pod)).decode()


def _listens(process: subprocess.Popen[bytes], bind: Address, log: Path) -> bool:
    import socket

    assert process.poll() is None, log.read_text()
    try:
        socket.create_connection(bind, timeout=1).close()
    except OSError:
        return False
    return True
