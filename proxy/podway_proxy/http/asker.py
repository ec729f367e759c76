"""What an exchange needs of the client that it works for, whichever wire that one speaks."""

from __future__ import annotations

import socket
from typing import Protocol

from podway_proxy.http.answer import Answer
from podway_proxy.http.chunked_flow import ChunkedFlow
from podway_proxy.http.endpoint import EndpointConnection
from podway_proxy.http.response import Response
from podway_proxy.plane.flow import Flow
from podway_proxy.values import Arrival

AnyFlow = Flow | ChunkedFlow
"""One direction of a body, with or without chunks."""


class Asker(Protocol):
    """The client's side of an exchange."""

    sock: socket.socket

    @property
    def arrival(self) -> Arrival | None:
        """How the client's connection arrived."""

    def took(self, flow: AnyFlow) -> None:
        """Note that the request's body has been read to its end by `flow`."""

    def flowing(self) -> None:
        """Keep an eye on the time: an answer's body is on its way, at the client's pace."""

    def answer_head(self, response: Response, data: bytes, end: int) -> bytes:
        """Give `data` with the head in `data[:end]` made fit for the client."""

    def finished(self) -> None:
        """Go on: the answer has been handed to the kernel whole."""

    def failed(self, answer: Answer) -> None:
        """Answer by itself: nothing of the endpoint's answer was passed on."""

    def cut(self, reason: str) -> None:
        """End the client's connection with RST: the answer stays incomplete."""

    def lost(self) -> None:
        """End: the client is gone, or does not read."""

    def switch(self, connection: EndpointConnection, to_client: bytes) -> None:
        """Become a tunnel: the endpoint has changed protocols."""
