"""`podway guide`: waits for the first answer of a lab in containers, then says how to use it.

It runs beside the lab, on the clients' network, and tells somebody on the host: what it asks are
the lab's own addresses, what it prints are the published ones.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from podway.lab.first_answer import Probe
from podway.lab.plan import read_lab
from podway.lab.ports import DNS, HTTP, HTTPS, Ports
from podway.lab.summary import TERMINATIONS, Host, hosts, url

if TYPE_CHECKING:
    from podway_cluster import Snapshot

ANSWERED = 0
NO_ANSWER = 1
WAIT_SECONDS = 60.0
"""Containers of an engine that is busy starting a dozen of them may take so long."""
_PAUSE = 0.2


class Options(NamedTuple):
    """The command line of `podway guide`."""

    manifests: Sequence[Path]
    published: tuple[str, ...]
    """The host's addresses on which the first, second, … load balancer is published."""
    ports: Ports
    """The published ports."""
    ca: str
    """A shell command that prints the lab's CA."""
    client: str
    """A shell command that runs the rest of its line on a machine of the clients' network."""


def guide(options: Options) -> int:
    """Wait, then print; 0 when an answer came, 1 when none did."""
    from podway_cluster import load

    snapshot = load(options.manifests)
    lab = read_lab(snapshot)
    found = hosts(snapshot, options.ports)
    first = next((host for host in found if host.ready and not host.secure), None)
    if first is not None:
        probe = Probe((lab.dns, DNS[0]), first.name, first.path, HTTP[0])
        if not wait(probe.try_once, WAIT_SECONDS):
            sys.stderr.write(f"no answer for {first.url} in {WAIT_SECONDS:g} s\n")
            return NO_ANSWER
        sys.stdout.write(f"first answer, from pod {probe.answered_by or '(it gives no name)'}\n")
    for line in text(options, found, inner(snapshot, found)):
        sys.stdout.write(f"{line}\n")
    return ANSWERED


def wait(test: Callable[[], bool], seconds: float) -> bool:
    """Ask `test` until it holds; False when it has not for so long. An OSError counts as a no."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):  # some part of the way is not there yet
            if test():
                return True
        time.sleep(_PAUSE)
    return False


def inner(snapshot: Snapshot, found: Sequence[Host]) -> list[Host]:
    """Give the hosts of the shards that are not published. Pure.

    A container's port leads to one of its addresses: to those of the first LoadBalancer Service.
    """
    from podway.decisions import statuses

    shards = {status.host: status.controller for status in statuses(snapshot)}
    published = next(iter(snapshot.ingress_controllers.values())).meta.name
    return [host for host in found if shards.get(host.name) != published]


def text(options: Options, found: Sequence[Host], unpublished: Sequence[Host]) -> Iterator[str]:
    """Give every host with what it leads to, and the lines to paste. Pure."""
    shown = {host: _inside(host) if host in unpublished else host.url for host in found}
    width = max(map(len, shown.values()), default=0)
    yield ""
    for host, address in shown.items():
        note = " (on the clients' network only)" if host in unpublished else ""
        yield f"  {address:<{width}}  {host.leads_to}{note}"
    yield ""
    yield "Paste into another terminal:"
    yield ""
    here = [host for host in found if host not in unpublished and host.ready]
    for line in paste(options, here):
        yield f"  {line}"
    yield ""
    if options.client:
        yield "From a machine of the clients' network, which asks the lab's name server:"
        yield ""
        asked = [*unpublished[:1], *(host for host in found if not host.ready)][:2]
        for host in asked:
            yield f"  {options.client} podway trace {_inside(host)}"
        yield ""
    yield "A changed file in manifests/apps or manifests/compose applies at once."


def paste(options: Options, here: Sequence[Host]) -> Iterator[str]:
    """Give the shell lines for the host: dig, curl through each balancer, and with TLS. Pure."""
    plain = next((host for host in here if not host.secure), None)
    ports, address = options.ports, options.published[0]
    if plain is not None:
        yield f"dig @{address} -p {ports.dns} {plain.name} +short"
        for one in options.published:
            yield f"curl --resolve {plain.name}:{ports.http}:{one} {plain.url}"
    by_kind = {host.termination: host for host in reversed(here)}
    secure = [by_kind[kind] for kind in TERMINATIONS if kind in by_kind]
    if secure:
        yield f"{options.ca} > ca.pem"
    for host in secure:
        resolve = f"--resolve {host.name}:{ports.https}:{address}"
        yield f"curl --cacert ca.pem {resolve} {host.url}"


def _inside(host: Host) -> str:
    """Give the URL for a client that is on the lab's own network."""
    return url(host.name, host.path, secure=host.secure, ports=Ports(HTTP[0], HTTPS[0], DNS[0]))
