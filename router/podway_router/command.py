"""The command podway-router."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from podway_proxy.process import address, command
from podway_proxy.process.daemon import Daemon
from podway_router.options import networks

PRINT_CA = "--print-ca"


def _count(text: str) -> int:
    """Parse how many Routes have metrics of their own. Raises ValueError."""
    if not text.isdigit() or int(text) > 500:
        raise ValueError(f"{text!r}: expected a number from 0 to 500")
    return int(text)


_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--name": {
        "action": "append",
        "metavar": "CONTROLLER",
        "help": "the IngressController to serve (repeatable)",
    },
    "--bind": {
        "action": "append",
        "type": address.parse_host,
        "metavar": "ADDR",
        "help": "listen there with the controllers' ports (repeatable); default: 0.0.0.0",
    },
    "--http": {
        "type": address.parse,
        "metavar": "ADDR:PORT",
        "help": "in place of the controller's httpPort",
    },
    "--https": {
        "type": address.parse,
        "metavar": "ADDR:PORT",
        "help": "in place of the controller's httpsPort",
    },
    "--proxy-protocol": {
        "type": networks,
        "metavar": "CIDR,…",
        "help": "require the PROXY header from these addresses, and refuse others",
    },
    "--external-https-port": {
        "type": address.parse_port,
        "default": 443,
        "metavar": "N",
        "help": "the port that a redirect to https names; default: 443",
    },
    "--allow-loopback-endpoints": {
        "action": "store_true",
        "help": "take endpoints in 127.0.0.0/8, as the lab has them",
    },
    "--client-affinity": {
        "action": "store_true",
        "help": "a client's address chooses its worker on the HTTPS port, where TLS sessions are "
        "then resumed; not behind a balancer, whose few addresses would choose few workers",
    },
    "--access-log": {
        "action": "store_true",
        "help": "one line per request and TLS connection",
    },
    "--explain": {
        "action": "store_true",
        "help": "say in X-Podway-Reason of the router's own answers which step failed, and why",
    },
    "--slow-start": {
        "type": command.seconds,
        "default": 0.0,
        "metavar": "SECONDS",
        "help": "let the share of an endpoint that is new, or is back, grow so long; default: 0",
    },
    "--route-metrics": {
        "type": _count,
        "default": 100,
        "metavar": "N",
        "help": "Routes with metrics of their own, up to 500, the others share one; default: 100",
    },
    "--request-metrics": {
        "action": "store_true",
        "help": "count bytes and durations of requests, too",
    },
    "--openshift-metrics": {
        "action": "store_true",
        "help": "give metrics by the OpenShift router's names as well (haproxy_backend_…)",
    },
    "--ca-dir": {
        "metavar": "DIR",
        "help": "where the local CA is kept that signs the default certificates; "
        "default: --state-dir",
    },
    PRINT_CA: {
        "action": "store_true",
        "help": "print that CA's certificate, and end",
    },
}
"""Flag -> what `Parser.option` takes."""


def main() -> None:
    """Run podway-router; exits with its code."""
    asks_for_ca = PRINT_CA in sys.argv[1:]
    parser = _parser(needs_name=not asks_for_ca)
    options = parser.parse_args()
    if asks_for_ca:
        sys.exit(print_ca(options.ca_dir or options.state_dir or ""))
    if len(options.name) > 1 and (options.http or options.https):
        parser.error("--http and --https are for one --name: each controller has ports of its own")
    if options.client_affinity and options.proxy_protocol:
        parser.error(
            "--client-affinity goes by the address that connects, and with --proxy-protocol that "
            "is the balancer's: all its clients would come to one worker; leave one of the two out"
        )
    limit_groups(os.environ)
    instance = ",".join(options.name)
    daemon = Daemon("podway-router", instance, "podway_router.loader", "podway_router.worker")
    sys.exit(command.run(daemon, options))


def limit_groups(environ: MutableMapping[str, str]) -> None:
    """Have OpenSSL, in the workers to come, offer the groups of Mozilla's profiles only.

    Not where the environment names a file of its own, nor in FIPS mode, which the system's file
    turns on.
    """
    if "OPENSSL_CONF" not in environ and not _fips():
        environ["OPENSSL_CONF"] = str(Path(__file__).with_name("openssl.cnf"))


def _fips() -> bool:
    flag = Path("/proc/sys/crypto/fips_enabled")
    return flag.exists() and flag.read_text().strip() == "1"


def print_ca(directory: str) -> int:
    """Print the local CA's certificate, made if there is none yet; give the exit code."""
    if not directory:
        sys.stderr.write(f"{PRINT_CA}: where is the CA kept? Give --ca-dir or --state-dir\n")
        return command.USAGE
    from podway_router.authority import authority  # cryptography: nobody else here needs it

    try:
        sys.stdout.write(authority(Path(directory)).pem)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{PRINT_CA}: no CA can be had in {directory}: {error}\n")
        return command.CANNOT_START
    return command.CLEAN


def _parser(needs_name: bool = True) -> command.Parser:
    parser = command.parser(
        "podway-router",
        "Routes requests by host and path, and TLS connections by server name, to the pods that "
        "Routes and Services name.",
    )
    for flag, settings in _OPTIONS.items():
        required = needs_name and flag == "--name"
        parser.option(flag, required=required, **settings)
    return parser
