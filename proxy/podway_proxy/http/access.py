"""What is written down about each request when somebody asks for it: the access log's facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from podway_proxy.http.request import Request
    from podway_proxy.values import Address, Arrival, Endpoint

ABORTED = "aborted"
"""The step of a request whose answer the client did not get whole."""
NORMAL = "--"
_STATES = {
    "redirect": "LR",
    "no-route": "SC",
    "tls-only": "SC",
    "http-only": "SC",
    "passthrough": "SC",
    "no-service": "SC",
    "no-endpoint": "SC",
    "connect": "SC",
    "head-timeout": "cR",
    "client-gone": "CR",
    "body-timeout": "cD",
    "server-timeout": "sH",
    "reset": "SH",
    "bad-answer": "PH",
    "queue": "sQ",
}
"""HAProxy's termination state for each step at which we answer ourselves (its configuration
manual, section 8.5; compared with HAProxy 2.6): who ended it, and in which phase."""
_REFUSED = "PR"
"""All other steps: the proxy said no before anything went to an endpoint."""


class Watched(NamedTuple):
    """The times and amounts of one request; times in seconds of the plane's clock.

    A time that was not reached is negative.
    """

    since: float
    """The connection came, or its last answer ended."""
    first: float
    """The head's first byte came."""
    began: float
    """The head was whole."""
    ended: float
    wait: float = -1.0
    """How long it waited for its turn, where a Route bounds how many a pod gets."""
    connect: float = -1.0
    """How long connecting to the endpoint took; 0 over a kept connection."""
    response: float = -1.0
    """From then to the answer's head."""
    received: int = 0
    """Bytes from the client: head and body."""
    sent: int = 0
    """Bytes to the client, likewise."""
    failures: int = 0
    """Endpoints that could not be connected to."""
    head: bytes = b""
    """The answer's head as the endpoint sent it."""
    source: Address | None = None
    """Our own end of the endpoint's connection, where it was asked for."""
    state: str = ""
    """Who ended it early and when, as HAProxy's two letters; empty: the step says."""


class AccessRecord(NamedTuple):
    """One request that was answered, or was not."""

    client: Address
    request: Request | None
    """None: what came did not become a request."""
    status: int
    """What the client was answered; 0: nothing, the connection ended."""
    step: str
    """The step that failed, as in the answer's page; `aborted`: the answer stayed incomplete;
    empty: a pod answered."""
    reason: str
    label: str
    """The route, service, … that chose the endpoint."""
    endpoint: Endpoint | None
    """The pod that answered or failed; None: none was asked."""
    seconds: float
    """From the request's head to the last byte of its answer."""
    attempts: int
    """How many connections it was sent on; more than 1 after a retry."""
    arrival: Arrival | None = None
    watched: Watched | None = None
    """None for a request whose connection is older than the wish to know."""

    @property
    def host(self) -> str:
        """The request's host, lower-case; empty without one."""
        return self.request.host if self.request is not None else ""

    @property
    def method(self) -> str:
        """The request's method."""
        return self.request.method.decode("ascii") if self.request is not None else ""

    @property
    def target(self) -> str:
        """Path and query as they were sent."""
        return self.request.target.decode("ascii") if self.request is not None else ""

    @property
    def state(self) -> str:
        """HAProxy's termination state: two letters, `--` for a request that ended well."""
        if self.watched is not None and self.watched.state:
            return self.watched.state
        if not self.step:
            return NORMAL
        if self.step == ABORTED:
            return "CD" if self.status else _REFUSED
        if self.status == 404:
            return _REFUSED  # as OpenShift's own 404 page is given: by a deny rule
        return _STATES.get(self.step, _REFUSED)
