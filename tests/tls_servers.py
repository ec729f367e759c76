"""Certificates, and real servers that speak TLS, for tests of SNI passthrough."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ingress_rig import address, free_port, until

BYE = b"bye\n"
"""Ends a connection to a `Greeter`."""
POSTGRES = Path("/usr/lib/postgresql/15/bin")


def self_signed(directory: Path, host: str) -> tuple[Path, Path]:
    """Write a certificate for `host` and its key; give both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = directory / f"{host}.crt", directory / f"{host}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    paths[1].chmod(0o600)
    return paths


class Greeter:
    """A TLS server of no protocol at all: it speaks first, then gives back what it gets but BYE."""

    def __init__(self, directory: Path, host: str) -> None:
        self.host = host
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*self_signed(directory, host))
        self._listener = socket.create_server((address(), 0))
        self.where: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        # The listener is closed under us at the end; clients may leave in a handshake.
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._greet, args=(sock,), daemon=True).start()

    def _greet(self, sock: socket.socket) -> None:
        with (
            sock,
            contextlib.suppress(OSError),
            self._context.wrap_socket(sock, server_side=True) as tls,
        ):
            tls.sendall(f"this is {self.host}\n".encode())
            while (data := tls.recv(65536)) and data != BYE:
                tls.sendall(data)

    def __enter__(self) -> Greeter:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@contextlib.contextmanager
def redis(directory: Path, host: str) -> Iterator[tuple[str, int]]:
    """Run a real redis-server that speaks TLS only; give where it listens."""
    certificate, key = self_signed(directory, host)
    where = address()
    port = free_port(where)
    command = ["redis-server", "--port", "0", "--tls-port", str(port), "--bind", where]
    command += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    command += ["--tls-ca-cert-file", str(certificate), "--tls-auth-clients", "no"]
    command += ["--save", "", "--dir", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            until("redis listens", lambda: listens((where, port)))
            yield where, port
        finally:
            process.terminate()


@contextlib.contextmanager
def postgres(host: str) -> Iterator[tuple[str, int]]:
    """Run a real PostgreSQL server with ssl=on; give where it listens. Never as root."""
    user = "postgres" if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="podway-pg-", dir="/tmp"))
    try:
        certificate, key = self_signed(directory, host)
        if user is not None:
            for path in (directory, certificate, key):
                shutil.chown(path, user, user)
        data = directory / "data"
        initdb = [POSTGRES / "initdb", "-D", data, "-A", "trust", "-U", "tester", "--no-sync"]
        subprocess.run(initdb, check=True, user=user, capture_output=True, cwd=directory)
        where = address()
        port = free_port(where)
        settings = {
            "listen_addresses": where,
            "port": port,
            "ssl": "on",
            "ssl_cert_file": certificate,
            "ssl_key_file": key,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        command = [POSTGRES / "postgres", "-D", data]
        command += [f"--{name}={value}" for name, value in settings.items()]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, user=user, stderr=quiet, cwd=directory) as process:
            try:
                until("postgres listens", lambda: listens((where, port)))
                yield where, port
            finally:
                process.terminate()
    finally:
        shutil.rmtree(directory)


def listens(where: tuple[str, int]) -> bool:
    """Tell whether a connection is accepted there."""
    with socket.socket() as sock:
        return sock.connect_ex(where) == 0
