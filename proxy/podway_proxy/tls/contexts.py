"""SSL contexts made from values, and kept as long as there is room.

A context costs 1.6 ms and 19 KiB. Each has ticket keys of its own, so a session is never resumed
under another certificate or another policy for clients' certificates.
"""

from __future__ import annotations

import os
import ssl
import warnings
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from podway_proxy.tls.profiles import INTERMEDIATE, Profile

MOST: Final = 1000
"""Contexts kept per worker: 19 MiB."""
ALPN: Final = ("http/1.1",)
TICKETS: Final = 1
"""Session tickets per TLS 1.3 handshake: a client resumes each once (RFC 8446 appendix C.4) and
gets another one with that."""


class Terms(NamedTuple):
    """How TLS is spoken to clients, whatever the certificate."""

    profile: Profile = INTERMEDIATE
    clients: str = ""
    """`Required`, `Optional`, or empty: no certificate is asked for."""
    client_ca: str = ""
    """PEM: who signs the clients' certificates."""


class Contexts:
    """The contexts of one worker, the one used longest ago goes first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, ssl.SSLContext] = OrderedDict()

    def __len__(self) -> int:
        """Give how many are kept."""
        return len(self._kept)

    def server(self, name: str, pem: Callable[[], str], terms: Terms) -> ssl.SSLContext:
        """Give the context that shows the certificate `name`, whose chain and key `pem` gives.

        Two certificates never have one name. Raises OSError (ssl.SSLError) when OpenSSL refuses
        it.
        """
        return self._get((name, terms), lambda: server_context(pem(), terms))

    def client(self, ca: str) -> ssl.SSLContext:
        """Give the context that trusts just the certificates in `ca` (PEM; empty: nobody)."""
        return self._get(ca, lambda: client_context(ca))

    def _get(self, key: Hashable, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found


def server_context(pem: str, terms: Terms) -> ssl.SSLContext:
    """Make a server's context. `pem`: the certificate, the chain, the key. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        # TLS 1.0 and 1.1 are deprecated; a profile that asks for them means it.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion[terms.profile.lowest]
    context.set_ciphers(terms.profile.ciphers)
    context.options |= ssl.OP_NO_RENEGOTIATION
    _tell_torsos(context)
    context.num_tickets = TICKETS
    context.set_alpn_protocols(ALPN)
    _load(context, pem)
    if terms.clients:
        required = terms.clients == "Required" or not terms.client_ca
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        if terms.client_ca:
            context.load_verify_locations(cadata=terms.client_ca)
    return context


def client_context(ca: str) -> ssl.SSLContext:
    """Make the context for connections to endpoints: the chain is verified, the name is not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _tell_torsos(context)
    context.check_hostname = False
    context.set_alpn_protocols(ALPN)
    # What the Route names is trusted, be it a root or not.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if ca:
        context.load_verify_locations(cadata=ca)
    return context


def _tell_torsos(context: ssl.SSLContext) -> None:
    """Have a FIN without close_notify be an error: Python before 3.11.4 hides it (gh-95494)."""
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF


def _load(context: ssl.SSLContext, pem: str) -> None:
    """Hand over certificate and key through memory: OpenSSL takes files only, a disk keeps keys."""
    descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, pem.encode())
        # With a password OpenSSL never asks the terminal for that of an encrypted key.
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")
    finally:
        os.close(descriptor)
