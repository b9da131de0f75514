"""The port of continuations over httpx, towards Envoy's egress listener: answers piece by piece."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx

from ext_proc.continuation.ports import CutOff
from ext_proc.contract import ROUTE_HEADER

_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=60)
_NO_TIMEOUT: Final = httpx.Timeout(None)
"""Envoy bounds the wait for an answer, the stage the silence within it."""


class HttpxStream:
    """An answer whose head is there."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    async def pieces(self) -> AsyncGenerator[bytes]:
        """See `ports.Pulled`."""
        try:
            async for piece in self._response.aiter_raw():
                yield piece
        except httpx.HTTPError:
            raise CutOff from None


class HttpxSource:
    """Asks through the egress listener at `egress_url` (`unix:///path` or `http://host:port`)."""

    def __init__(self, egress_url: str) -> None:
        """Open nothing yet: connections are made as they are needed."""
        uds = egress_url.removeprefix("unix://") if egress_url.startswith("unix://") else None
        self._origin = httpx.URL("http://egress" if uds else egress_url)
        transport = httpx.AsyncHTTPTransport(uds=uds, limits=_LIMITS, retries=0, trust_env=False)
        self._client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=_NO_TIMEOUT, follow_redirects=False)
        self._client.headers.clear()

    @asynccontextmanager
    async def ask(self, route: str, path: str, headers: Mapping[str, str], body: bytes) -> AsyncIterator[HttpxStream]:
        """See `ports.Source.ask`."""
        sent = [
            (name.encode(), value.encode(errors="surrogateescape")) for name, value in {**headers, ROUTE_HEADER: route}.items()
        ]
        request = self._client.build_request("POST", self._origin.copy_with(raw_path=path.encode()), headers=sent, content=body)
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError:
            raise CutOff from None
        try:
            yield HttpxStream(response)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()
