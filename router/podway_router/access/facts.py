"""All that a line of the access log may say about one request or connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from podway_proxy.http.access import AccessRecord, Watched
from podway_router.access.captures import (
    Captures,
    captured,
    request_cookie,
    response_cookie,
)

if TYPE_CHECKING:
    from podway_proxy.values import Address

NOTHING = -1
"""A time that was not reached."""
NONE = "--"
"""Of cookies that keep clients with a pod: none is in use."""
BAD = "<BADREQ>"
"""In place of what a request would say, for bytes that did not become one."""
_UNWATCHED = Watched(0.0, 0.0, 0.0, 0.0)


class Names(NamedTuple):
    """Where it came in and went to, as the OpenShift router names it in its logs."""

    frontend: str
    backend: str
    server: str
    secure: bool = False
    """TLS ends at this frontend."""


class Busy(NamedTuple):
    """Connections open at the same time."""

    process: int = 0
    """Of this worker."""
    frontend: int = 0
    backend: int = 0
    server: int = 0


class Facts:
    """One event. Built for each; what is costly is looked up when a format asks for it."""

    __slots__ = (
        "_line",
        "busy",
        "captures",
        "ended",
        "names",
        "number",
        "persistence",
        "record",
        "unique_id",
        "watched",
    )

    def __init__(
        self,
        record: AccessRecord,
        names: Names,
        busy: Busy,
        number: int,
        ended: float,
        captures: Captures,
    ) -> None:
        self.record = record
        self.watched = record.watched or _UNWATCHED
        self.names = names
        self.busy = busy
        self.number = number
        """How many came before it at this frontend."""
        self.ended = ended
        """When it ended, in seconds since 1970."""
        self.captures = captures
        self.persistence = NONE
        self.unique_id = ""
        self._line: tuple[str, str, str] | None = None

    # ---- times ----------------------------------------------------------------------------

    @property
    def came(self) -> float:
        """When the connection came, or its last answer had ended; in seconds since 1970."""
        return self.ended - (self.watched.ended - self.watched.since)

    @property
    def began(self) -> float:
        """When the request's first byte came; in seconds since 1970."""
        return self.ended - (self.watched.ended - self.watched.first)

    @property
    def idle(self) -> int:
        """Milliseconds before the first byte."""
        return self._span(self.watched.since, self.watched.first)

    @property
    def reading(self) -> int:
        """Milliseconds from the first byte to the end of the head."""
        return self._span(self.watched.first, self.watched.began)

    @property
    def active(self) -> int:
        """Milliseconds from the request's first byte to the answer's last."""
        watched = self.watched
        begin = watched.since if self.record.request is None else watched.first
        return round((watched.ended - begin) * 1000)

    @property
    def waiting(self) -> int:
        """Milliseconds in a queue."""
        served = self.record.endpoint is not None or self.watched.connect >= 0
        return milliseconds(self.watched.wait) if served else NOTHING

    @property
    def connecting(self) -> int:
        """Milliseconds for the connection to the endpoint."""
        return milliseconds(self.watched.connect) if self.record.endpoint else NOTHING

    @property
    def responding(self) -> int:
        """Milliseconds from there to the head of the answer."""
        return milliseconds(self.watched.response)

    @property
    def total(self) -> int:
        """Milliseconds since the connection came, or the last answer ended."""
        return self.active + max(self.idle, 0)

    @property
    def sending(self) -> int:
        """Milliseconds in which the answer's body was passed on."""
        parts = (self.reading, self.waiting, self.connecting, self.responding)
        return NOTHING if min(parts) < 0 else self.active - sum(parts)

    def _span(self, begin: float, end: float) -> int:
        return NOTHING if self.record.request is None else round((end - begin) * 1000)

    # ---- the request ----------------------------------------------------------------------

    @property
    def line(self) -> tuple[str, str, str]:
        """The request line as it came: method, URI, version."""
        if self._line is None:
            request = self.record.request
            if request is None:
                self._line = (BAD, BAD, BAD)
            else:
                text = request.head[: request.head.find(b"\r\n")].decode("latin-1")
                method, _, rest = text.partition(" ")
                uri, _, version = rest.rpartition(" ")
                self._line = (method, uri, version)
        return self._line

    @property
    def head(self) -> bytes:
        """The request's head as it came; empty where there is none."""
        return self.record.request.head if self.record.request is not None else b""

    @property
    def answer(self) -> bytes:
        """The answer's head as the endpoint sent it; empty where there is none."""
        return self.watched.head

    @property
    def status(self) -> int:
        """The status; -1 when nothing was answered."""
        return self.record.status or NOTHING

    def captured_request(self) -> list[str]:
        """Give the captured fields of the request."""
        return captured(self.head, self.captures.request)

    def captured_response(self) -> list[str]:
        """Give those of the answer."""
        return captured(self.answer, self.captures.response)

    def request_cookie(self) -> str:
        """Give the captured cookie."""
        return request_cookie(self.head, self.captures.cookie)

    def response_cookie(self) -> str:
        """Give the cookie that the answer set."""
        return response_cookie(self.answer, self.captures.cookie)

    # ---- the ends -------------------------------------------------------------------------

    @property
    def local(self) -> Address:
        """The address that the client connected to."""
        return self.record.arrival.local if self.record.arrival is not None else ("", 0)

    @property
    def server(self) -> Address | None:
        """The endpoint's address."""
        endpoint = self.record.endpoint
        return None if endpoint is None else endpoint.address

    @property
    def retries(self) -> int:
        """How often a connection was tried again."""
        failures = self.watched.failures
        return max(self.record.attempts - 1, 0) + max(failures - (not self.record.attempts), 0)


def milliseconds(seconds: float) -> int:
    """Give a duration in milliseconds; one that is negative was not reached."""
    return NOTHING if seconds < 0 else round(seconds * 1000)
