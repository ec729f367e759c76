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
    parser = _parser()
    options = parser.parse_args()
    # Workers must agree on keys, also those that replace others: they travel as options.
    options.cookie_secret = options.cookie_secret or os.urandom(_SECRET_BYTES).hex()
    if options.tls_listen:
        try:
            options.tls_cert, options.tls_key = _certificate(options.tls_cert, options.tls_key)
        except (OSError, ValueError) as error:
            parser.error(f"--tls-cert, --tls-key: {error}")
    sys.exit(command.run(_daemon(options), options))


def _certificate(certificate: str | None, key: str | None) -> tuple[str, str]:
    """Read the certificate's files now, while we may; without any, make one."""
    if certificate and key:
        with open(certificate, encoding="ascii") as first, open(key, encoding="ascii") as second:
            return first.read(), second.read()
    if certificate or key:
        raise ValueError("give both or neither")
    import subprocess

    # In a process of its own: the master stays, and would keep cryptography's memory for good.
    made = subprocess.run(
        [sys.executable, "-m", "podway_dns.selfmade"], capture_output=True, text=True, check=True
    ).stdout
    at = made.index("-----BEGIN PRIVATE KEY-----")
    return made[:at], made[at:]


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
    _add_guards(parser)
    return parser


def _add_guards(parser: command.Parser) -> None:
    parser.option(
        "--forward",
        action="append",
        type=address.parse,
        metavar="ADDR:PORT",
        help="resolve other names there, for clients that may (repeatable); default: they are "
        "refused",
    )
    parser.option(
        "--forward-allow",
        action="append",
        type=_network,
        metavar="CIDR",
        help="clients that may (repeatable); default: this host's own",
    )
    parser.option(
        "--rate-limit",
        type=_count,
        default=200,
        metavar="N",
        help="most answers alike per second to a network (/24, /56) over UDP, this host's own "
        "excepted; 0: no limit; default: 200",
    )
    parser.option(
        "--rate-slip",
        type=_count,
        default=2,
        metavar="N",
        help="of the answers beyond the limit send every N-th truncated, so that a real client "
        "comes by TCP; 0: none; default: 2",
    )
    parser.option("--query-log", action="store_true", help="log every query")


def _network(text: str) -> str:
    from ipaddress import ip_network  # only where the option is given

    return str(ip_network(text, strict=False))


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 1_000_000:
        raise ValueError(f"{text!r}: expected a number from 0 to 1000000")
    return int(text)


def _add_listeners(parser: command.Parser) -> None:
    for flag, text in (
        ("--listen", "answer over UDP and TCP there (repeatable); default: 0.0.0.0:53"),
        ("--tls-listen", "answer over TLS there (RFC 7858; repeatable)"),
        ("--http-listen", "answer at http://ADDR:PORT/dns-query (RFC 8484; repeatable)"),
    ):  # fmt: skip
        parser.option(flag, action="append", type=address.parse, metavar="ADDR:PORT", help=text)
    parser.option(
        "--tls-cert",
        metavar="FILE",
        help="certificate chain for --tls-listen, PEM; default: one made at the start, signed by "
        "itself",
    )
    parser.option("--tls-key", metavar="FILE", help="its key, PEM")


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
