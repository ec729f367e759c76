"""The rounds: every row with every peer in turn, each measurement with servers of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import machine
from bench.loads import bulk, single, source
from bench.peers import nginx, program
from bench.peers.peer import HOST, Certificate, Door, Launch, Peer, Setup
from bench.rows import BULK, EXTRA, TLS, Row, Sample, Scale, Subject
from bench.serving import running

Samples = dict[str, dict[str, list[Sample]]]
"""Row -> peer -> one sample per round."""
WARM_REQUESTS = 300
WARM_BYTES = 20_000_000


class Rig(NamedTuple):
    """What stays up during all rounds: the pods behind the proxies."""

    folder: Path
    web: int
    bulk: int
    user: str
    processors: machine.Processors
    connections: int
    certificate: Certificate


def measure(
    peers: Sequence[Peer], rows: Sequence[Row], scale: Scale, say: Callable[[str], None]
) -> Samples:
    """Measure all; a row's peers take turns, so that what disturbs one disturbs its neighbours."""
    samples: Samples = {row.name: {} for row in rows}
    with pods(scale) as rig:
        for number in range(scale.rounds):
            for row in rows:
                if row.name == "idle" and number >= scale.idle_rounds:
                    continue
                for peer in peers:
                    if row.mode in peer.modes:
                        sample = once(rig, peer, row, scale)
                        samples[row.name].setdefault(peer.name, []).append(sample)
                        say(
                            f"{number + 1}/{scale.rounds} {row.title:36}{peer.name:16}"
                            f"{sample[row.main]:9.3g} {row.unit}"
                        )
    return samples


@contextlib.contextmanager
def pods(scale: Scale) -> Iterator[Rig]:
    """Run the pods until the block ends; this process takes the load's processors too."""
    binary = program.find("nginx")
    if binary is None:
        raise SystemExit("bench needs nginx; on Debian 12: sudo apt-get install nginx-light")
    connections = min(machine.most_connections(), max(scale.idle + 200, 1_000))
    shares = machine.processors()
    os.sched_setaffinity(0, shares.load)
    user = machine.user()
    load = ",".join(map(str, sorted(shares.load)))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(_folder(user))
        web, data = machine.free_port(), machine.free_port()
        below = _below(folder, "pod", user)
        pod = nginx.pod(binary, below, web, 2 * connections, scale.long)
        stack.enter_context(running(pod, load, user, folder))
        command = Launch([sys.executable, source.__file__, str(data)])
        stack.enter_context(running(command, load, "", folder))
        single.first_answer(web, lambda: None)
        _wait_for_bulk(data)
        yield Rig(folder, web, data, user, shares, connections, _certificate(folder))


def once(rig: Rig, peer: Peer, row: Row, scale: Scale) -> Sample:
    """Start a proxy, let it warm up, measure one row, end it."""
    folder = _below(rig.folder, peer.name.replace(" ", "-"), rig.user)
    web, data = Door(machine.free_port(), rig.web), Door(machine.free_port(), rig.bulk)
    launch = peer.modes[row.mode](Setup(folder, web, data, rig.connections, rig.certificate))
    secure = row.mode == TLS
    try:
        with running(launch, rig.processors.proxy, rig.user, folder) as child:
            single.first_answer(web.listen, child.poll, secure)
            single.latencies(web.listen, WARM_REQUESTS, secure)
            if row.mode == EXTRA:
                single.check_extras(web.listen)
            if row.name.startswith(BULK):
                _wait_for_bulk(data.listen)
            return row.measure(Subject(child.pid, web.listen, data.listen, secure), scale)
    except RuntimeError as error:
        said = (folder / "output").read_text(errors="replace")[-2000:]
        raise SystemExit(f"{peer.name}, {row.title}: {error}\n{said}") from None
    finally:
        shutil.rmtree(folder)


def _wait_for_bulk(port: int) -> None:
    """Take some bytes, as soon as the port is there (the web port answers already)."""
    deadline = time.monotonic() + single.PATIENCE
    while True:
        try:
            bulk.take(port, 2, WARM_BYTES)
            return
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _certificate(folder: Path) -> Certificate:
    """Make the proxies' certificate; every user may read its key, it ends with the run."""
    made = Certificate(folder / "chain.pem", folder / "key.pem", folder / "both.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "60", "-subj", f"/CN={HOST}", "-keyout", str(made.key)]
    command += ["-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1", "-out", str(made.chain)]
    subprocess.run(command, check=True, capture_output=True)
    made.both.write_bytes(made.chain.read_bytes() + made.key.read_bytes())
    for path in made:
        path.chmod(0o644)
    return made


@contextlib.contextmanager
def _folder(user: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="podway-bench-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        yield folder


def _below(folder: Path, name: str, user: str) -> Path:
    """Make a folder that is the proxies' user's own."""
    made = folder / name
    made.mkdir()
    if user:
        shutil.chown(made, user)
    return made
