"""The command podway-dns."""

from __future__ import annotations

import os
import sys
from argparse import Namespace

from podway_dns.options import server_name
from podway_proxy.process import address, command
from podway_proxy.process.daemon import Daemon

_SECRET_BYTES = 16
"""RFC 9018 section 4.4."""


def main() -> None:
    """Run podway-dns; exits with its code."""
    options = _parser().parse_args()
    # Workers must agree on the key, also those that replace others: it travels as an option.
    options.cookie_secret = options.cookie_secret or os.urandom(_SECRET_BYTES).hex()
    sys.exit(command.run(_daemon(options), options))


def _daemon(options: Namespace) -> Daemon:
    first = options.listen[0] if options.listen else ("", 53)
    return Daemon("podway-dns", address.show(*first), "podway_dns.loader", "podway_dns.worker")


def _parser() -> command.Parser:
    parser = command.parser(
        "podway-dns",
        "Answers DNS queries for the cluster's wildcard names (DNSRecord), its own names "
        "(Services) and RFC 1035 zone files.",
    )
    _add_listeners(parser)
    _add_zones(parser)
    parser.option(
        "--cookie-secret",
        type=_secret,
        metavar="HEX",
        help="key of the DNS cookies, 16 bytes in hex, the same on all servers of a set "
        "(RFC 9018); default: random. Rather give it as PODWAY_COOKIE_SECRET",
    )
    return parser


def _add_listeners(parser: command.Parser) -> None:
    for flag, text in (
        ("--listen", "answer over UDP and TCP there (repeatable); default: 0.0.0.0:53"),
        ("--tls-listen", "answer over TLS there (RFC 7858; repeatable)"),
        ("--http-listen", "answer at http://ADDR:PORT/dns-query (RFC 8484; repeatable)"),
    ):  # fmt: skip
        parser.option(flag, action="append", type=address.parse, metavar="ADDR:PORT", help=text)


def _add_zones(parser: command.Parser) -> None:
    parser.option(
        "--zone-file",
        action="append",
        metavar="[ZONE=]FILE",
        help="serve this RFC 1035 zone file, and follow changes (repeatable)",
    )
    parser.option(
        "--zone",
        action="append",
        metavar="ZONE",
        help="serve this zone for DNSRecords, besides the DNS object's base domain (repeatable)",
    )
    parser.option(
        "--ns",
        action="append",
        type=server_name,
        metavar="NAME[=ADDR]",
        help="the zones' name server, absolute with a final dot or relative to each zone "
        "(repeatable); default: ns, with the addresses listened on",
    )
    parser.option(
        "--txt-file",
        metavar="FILE",
        help="TXT records, one a line: a name and its text (ACME dns-01); followed as it changes",
    )
    parser.option(
        "--cluster-domain",
        default="cluster.local",
        metavar="ZONE",
        help="zone of the cluster's own names (Kubernetes DNS 1.1.0), empty for none; default: "
        "cluster.local",
    )
    parser.option(
        "--pod-names",
        action="store_true",
        help="serve names of Pods too: 10-0-0-1.NAMESPACE.pod.ZONE",
    )
    parser.option(
        "--ip-names",
        action="append",
        metavar="ZONE",
        help="names below this zone that spell an address have it: 10-0-0-1.ZONE (repeatable)",
    )


def _secret(text: str) -> str:
    try:
        wrong = len(bytes.fromhex(text)) != _SECRET_BYTES
    except ValueError:
        wrong = True
    if wrong:
        raise ValueError(f"expected {_SECRET_BYTES} bytes in hex")
    return text
