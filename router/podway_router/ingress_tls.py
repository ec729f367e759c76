"""Whether and how TLS ends for an Ingress's host: annotations, `spec.tls` and their Secrets. Pure.

It fails closed: where a Secret that is named is missing or of another type there is no Route, since
one without TLS, or with another certificate, is not what was asked for.
"""

from __future__ import annotations

from podway_cluster.model import Ingress, Secret
from podway_cluster.model.route import RouteTls
from podway_router.hosts import wildcard_of
from podway_router.ingress_seen import Seen

TERMINATION = "route.openshift.io/termination"
DESTINATION_CA = "route.openshift.io/destination-ca-certificate-secret"
_TERMINATIONS = ("edge", "passthrough", "reencrypt")
_TLS_SECRET = "kubernetes.io/tls"  # noqa: S105 - the name of a Secret's type
_CA_KEYS = ("ca.crt", "tls.crt")
"""In a Secret with a CA, the first that is there counts."""


class Unusable(Exception):  # noqa: N818 - reads as what it says where it is raised
    """No Route can be made; the message says why, `field` where in the Ingress."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def tls_of(ingress: Ingress, host: str, seen: Seen) -> RouteTls | None:
    """Give the Route's TLS for a host of the Ingress; None where it has none."""
    asked = ingress.meta.annotations.get(TERMINATION, "").lower()
    termination = asked if asked in _TERMINATIONS else "edge"
    secret = _covering(ingress, host)
    anybody = any(not tls.hosts and not tls.secret_name for tls in ingress.tls)
    if asked not in _TERMINATIONS and not secret and not anybody:
        return None
    if secret:
        _secret(ingress, secret, "spec.tls", seen, _TLS_SECRET)
    through = termination == "passthrough"
    return RouteTls(
        termination=termination,
        insecure_edge_termination_policy="Redirect",
        external_certificate="" if through else secret,
        destination_ca_certificate=_destination_ca(ingress, termination, seen),
    )


def _covering(ingress: Ingress, host: str) -> str:
    """Give the Secret of the first entry of `spec.tls` that covers the host."""
    for tls in ingress.tls:
        if any(pattern in (host, wildcard_of(host)) for pattern in tls.hosts):
            return tls.secret_name
    return ""


def _destination_ca(ingress: Ingress, termination: str, seen: Seen) -> str:
    name = ingress.meta.annotations.get(DESTINATION_CA, "")
    if not name or termination != "reencrypt":
        return ""
    field = f"metadata.annotations[{DESTINATION_CA}]"
    secret = _secret(ingress, name, field, seen)
    for key in _CA_KEYS:
        if key in secret.data:
            return secret.data[key].decode("ascii", "replace")
    raise Unusable(f"no Route is made: Secret {name} has no {' or '.join(_CA_KEYS)}", field)


def _secret(ingress: Ingress, name: str, field: str, seen: Seen, wanted: str = "") -> Secret:
    namespace = ingress.meta.namespace
    found: Secret | None = seen.get("secrets", (namespace, name))
    if found is None:
        raise Unusable(f"no Route is made: there is no Secret {namespace}/{name}", field)
    if wanted and found.type != wanted:
        raise Unusable(
            f"no Route is made: Secret {namespace}/{name} is of type {found.type}, not {wanted}",
            field,
        )
    return found
