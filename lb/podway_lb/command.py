"""The command podway-lb."""

from __future__ import annotations

import sys

from podway_lb.options import port_map
from podway_proxy.process import command
from podway_proxy.process.address import parse_host
from podway_proxy.process.daemon import Daemon


def main() -> None:
    """Run podway-lb; exits with its code."""
    parser = command.parser(
        "podway-lb",
        "Listens for the Services of type LoadBalancer and balances their TCP connections over "
        "their ready endpoints, the routers.",
    )
    parser.option("--name", required=True, metavar="NAME", help="this host of the pair")
    parser.option(
        "--bind",
        action="append",
        type=parse_host,
        metavar="ADDR",
        help="of the Services' addresses listen only on these; an address that no Service has is "
        "bound in place of theirs (repeatable); default: all of the Services' addresses",
    )
    parser.option(
        "--source", type=parse_host, metavar="ADDR", help="connect to the endpoints from there"
    )
    parser.option(
        "--port-map",
        type=port_map,
        metavar="80=8080,…",
        help="listen on another port than the Service's",
    )
    parser.option(
        "--proxy-protocol",
        choices=("v2", "none"),
        default="v2",
        help="how the endpoints are told the client's address; default: v2",
    )
    parser.option(
        "--unique-id", action="store_true", help="add a UNIQUE_ID field to the PROXY header"
    )
    parser.option(
        "--allow-loopback-endpoints",
        action="store_true",
        help="take endpoints in 127.0.0.0/8, as the lab has them",
    )
    options = parser.parse_args()
    daemon = Daemon("podway-lb", options.name, "podway_lb.loader", "podway_lb.worker")
    sys.exit(command.run(daemon, options))
