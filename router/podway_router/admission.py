"""Who owns which host and path: the oldest claim wins. Pure, whatever the order of the input.

A claim is refused when an older *admitted* one stands against it, so taking the oldest away
promotes the next. Two claims stand against each other (OpenShift's host admitter; the table in
`reference/route-api.md` section 4) when

- ownership is strict, they are of different namespaces and have a host in common (a wildcard has
  every one-label name under its parent in common with an exact host);
- host and path are the same, whatever the termination;
- host is the same and one is passthrough, the other edge or reencrypt: a server name can only be
  either handed through or terminated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from podway_router.hosts import wildcard_of

Key = tuple[str, str]
"""(namespace, name) of a Route."""

PASSTHROUGH = "passthrough"
TERMINATED = ("edge", "reencrypt")
ALREADY_CLAIMED = "HostAlreadyClaimed"


class Policy(NamedTuple):
    """`spec.routeAdmission` of the IngressController."""

    strict: bool = True
    """namespaceOwnership Strict; False is InterNamespaceAllowed."""
    wildcards: bool = False
    """wildcardPolicy WildcardsAllowed."""


class Claim(NamedTuple):
    """What one Route asks for."""

    key: Key
    host: str
    """Lower-case, without a trailing dot; for a wildcard the host whose parent is meant."""
    path: str = "/"
    termination: str = ""
    """Empty (plain HTTP), edge, reencrypt or passthrough."""
    wildcard: bool = False
    age: tuple[Any, ...] = ()
    """Sort key, the smallest is the oldest (`Meta.seniority`); all of one shape."""

    @property
    def holds(self) -> str:
        """The name under which the claim is kept: the host, or `*.<parent>`."""
        return wildcard_of(self.host) if self.wildcard else self.host


class Condition(NamedTuple):
    """The Admitted condition of a Route's status for one controller."""

    admitted: bool
    reason: str = ""
    """As the API has it: HostAlreadyClaimed, NoHostValue, …; empty when admitted."""
    message: str = ""


ADMITTED = Condition(admitted=True)


def admit(claims: Iterable[Claim], policy: Policy) -> dict[Key, Condition]:
    """Decide every claim. Equal ages are told apart by namespace and name."""
    ledger = _Ledger(policy)
    ordered = sorted(claims, key=lambda claim: (claim.age, claim.key))
    return {claim.key: ledger.take(claim) for claim in ordered}


class _Ledger:
    """What the admitted claims hold, indexed so that each new one costs a few look-ups."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._by_path: dict[tuple[str, str], Claim] = {}
        self._by_kind: dict[tuple[str, str], Claim] = {}
        self._owners: dict[str, Claim] = {}
        self._below: dict[str, dict[str, Claim]] = {}
        """By wildcard and namespace the oldest exact host: one each is enough to stand against."""

    def take(self, claim: Claim) -> Condition:
        if claim.wildcard and not self._policy.wildcards:
            return Condition(
                admitted=False,
                reason="RouteNotAdmitted",
                message="wildcard routes are not allowed: the controller's spec.routeAdmission."
                "wildcardPolicy is WildcardsDisallowed",
            )
        against = self._foreign(claim) if self._policy.strict else ""
        against = against or self._same_path(claim) or self._other_kind(claim)
        if against:
            return Condition(admitted=False, reason=ALREADY_CLAIMED, message=against)
        self._enter(claim)
        return ADMITTED

    def _enter(self, claim: Claim) -> None:
        holds = claim.holds
        self._by_path[holds, claim.path] = claim
        self._owners.setdefault(holds, claim)
        if claim.termination:
            self._by_kind.setdefault((holds, _kind(claim)), claim)
        if not claim.wildcard:
            below = self._below.setdefault(wildcard_of(claim.host), {})
            below.setdefault(claim.key[0], claim)

    def _foreign(self, claim: Claim) -> str:
        """Name the route of another namespace that holds the host, or one under the wildcard."""
        namespace = claim.key[0]
        held = [self._owners.get(claim.holds)]
        if claim.wildcard:
            held.extend(self._below.get(claim.holds, {}).values())
        else:
            held.append(self._owners.get(wildcard_of(claim.host)))
        others = [one for one in held if one is not None and one.key[0] != namespace]
        if not others:
            return ""
        return (
            f"route {_name(others[0])} in another namespace is older and holds host "
            f"{others[0].holds}; namespaceOwnership is Strict"
        )

    def _same_path(self, claim: Claim) -> str:
        older = self._by_path.get((claim.holds, claim.path))
        if older is None:
            return ""
        return f"route {_name(older)} is older and has host {claim.holds} with path {claim.path}"

    def _other_kind(self, claim: Claim) -> str:
        if not claim.termination:
            return ""
        opposite = "terminated" if claim.termination == PASSTHROUGH else PASSTHROUGH
        older = self._by_kind.get((claim.holds, opposite))
        if older is None:
            return ""
        return (
            f"route {_name(older)} is older and has host {claim.holds} with termination "
            f"{older.termination}, which excludes {claim.termination}"
        )


def _kind(claim: Claim) -> str:
    return PASSTHROUGH if claim.termination == PASSTHROUGH else "terminated"


def _name(claim: Claim) -> str:
    return "/".join(claim.key)
