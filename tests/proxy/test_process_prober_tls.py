from __future__ import annotations

import asyncio
import socket
import ssl

from plane_rig import until
from tls_rig import Ca

from podway_proxy.process.prober import check
from podway_proxy.process.spec import ProbeSpec, TlsSpec


class Endpoint:
    """An endpoint that speaks TLS, and what it heard."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.names: list[str | None] = []
        self.ends: list[str] = []
        self._context = context
        if context is not None:
            context.sni_callback = lambda _sock, name, _context: self.names.append(name)

    async def __aenter__(self) -> Endpoint:
        self._server = await asyncio.start_server(self._one, "127.0.0.1", 0, ssl=self._context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.ends.append(repr(await reader.read()))
        except OSError as error:
            self.ends.append(repr(error))
        writer.close()

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def probe(self, ca: str, *names: str, server_name: str = "web.t") -> ProbeSpec:
        tls = TlsSpec(server_name, ca, names)
        return ProbeSpec("127.0.0.1", self.port, timeout=5.0, tls=tls)


async def test_a_handshake_and_a_clean_end() -> None:
    ca = Ca()
    async with Endpoint(ca.server("web.shop.svc")) as endpoint:
        assert await check(endpoint.probe(ca.pem)) == ""
        assert await check(endpoint.probe(ca.pem, "web.shop.svc", "other.shop.svc")) == ""
        assert endpoint.names == ["web.t", "web.t"]
        await until(lambda: len(endpoint.ends) == 2, "both have ended")
        assert endpoint.ends == ["b''"] * 2


async def test_a_certificate_of_somebody_else() -> None:
    ca, other = Ca(), Ca("other")
    async with Endpoint(ca.server("web.shop.svc")) as endpoint:
        assert "TLS: the certificate is not accepted" in await check(endpoint.probe(other.pem))
        assert "TLS: the certificate is not accepted" in await check(endpoint.probe(""))
        expected = "TLS: the certificate is for web.shop.svc, not for api.shop.svc"
        assert await check(endpoint.probe(ca.pem, "api.shop.svc")) == expected


async def test_an_endpoint_that_speaks_no_tls() -> None:
    async with Endpoint(None) as endpoint:
        probe = endpoint.probe(Ca().pem)._replace(timeout=0.2)
        assert await check(probe) == "no answer within 0.2 s"
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        sock.setblocking(False)
        server = await asyncio.start_server(answer, sock=sock)
        probe = probe._replace(port=port, timeout=5.0)
        assert (await check(probe)).startswith("TLS: ")
        server.close()
        await server.wait_closed()
    assert await check(probe) == "Connection refused"


async def test_a_name_that_cannot_be_sent() -> None:
    ca = Ca()
    async with Endpoint(ca.server("web.t")) as endpoint:
        probe = endpoint.probe(ca.pem, server_name="a" * 64 + ".t")
        assert (await check(probe)).startswith("TLS: ")
