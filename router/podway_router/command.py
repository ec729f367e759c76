"""The command podway-router."""

from __future__ import annotations

import sys

from podway_proxy.process import address, command
from podway_proxy.process.daemon import Daemon
from podway_router.options import networks


def main() -> None:
    """Run podway-router; exits with its code."""
    parser = _parser()
    options = parser.parse_args()
    if len(options.name) > 1 and (options.http or options.https):
        parser.error("--http and --https are for one --name: each controller has ports of its own")
    instance = ",".join(options.name)
    daemon = Daemon("podway-router", instance, "podway_router.loader", "podway_router.worker")
    sys.exit(command.run(daemon, options))


def _parser() -> command.Parser:
    parser = command.parser(
        "podway-router",
        "Routes requests by host and path, and TLS connections by server name, to the pods that "
        "Routes and Services name.",
    )
    parser.option(
        "--name",
        action="append",
        required=True,
        metavar="CONTROLLER",
        help="the IngressController to serve (repeatable)",
    )
    parser.option(
        "--bind",
        action="append",
        type=address.parse_host,
        metavar="ADDR",
        help="listen there with the controllers' ports (repeatable); default: 0.0.0.0",
    )
    for kind in ("http", "https"):
        parser.option(
            f"--{kind}",
            type=address.parse,
            metavar="ADDR:PORT",
            help=f"in place of the controller's {kind}Port",
        )
    parser.option(
        "--proxy-protocol",
        type=networks,
        metavar="CIDR,…",
        help="require the PROXY header from these addresses, and refuse others",
    )
    parser.option(
        "--external-https-port",
        type=address.parse_port,
        default=443,
        metavar="N",
        help="the port that a redirect to https names; default: 443",
    )
    parser.option(
        "--allow-loopback-endpoints",
        action="store_true",
        help="take endpoints in 127.0.0.0/8, as the lab has them",
    )
    parser.option(
        "--access-log", action="store_true", help="one line per request and TLS connection"
    )
    return parser
