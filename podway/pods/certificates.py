"""Certificates of the lab's pods: signed by the lab's CA, made in memory at each start.

The CA is the routers' local one, so that a client that trusts it accepts both, and the routers
accept the pods (reencrypt).
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from podway_router.authority import Authority
from podway_router.authority import authority as local_authority


class PodAuthority:
    """Makes server contexts for pods."""

    def __init__(self, ca: Authority) -> None:
        self._ca = ca

    @property
    def certificate(self) -> x509.Certificate:
        """The CA's."""
        return self._ca.certificate

    def context(self, names: Sequence[str]) -> ssl.SSLContext:
        """Make a certificate for these host names, and a server context that shows it."""
        chain, key = self._ca.leaf(names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        descriptor = os.memfd_create("pod-certificate", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, (key + chain).encode())
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return context


def authority(directory: Path) -> PodAuthority:
    """Load the lab's CA from `directory`, or make and keep one.

    Raises OSError when it can't be kept, ValueError when a file there is not what it should be.
    """
    return PodAuthority(local_authority(directory))
