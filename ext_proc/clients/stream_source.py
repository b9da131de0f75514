"""The Source port over aiohttp, towards Envoy's egress listener: answers in chunks.

Not httpx, which is used for whole answers: a stream has a chunk per token, which costs httpx 100 us
and aiohttp 15.
"""

from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from ext_proc.continuation.ports import CutOff
from protos.contract.headers import ROUTE_HEADER

_KEPT_SECONDS: Final = 60
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
"""No timeouts: Envoy bounds the wait for an answer, and the stage the idle time within it."""
_NOT_OURS_TO_ADD: Final = ("accept", "accept-encoding", "content-type", "user-agent")


class StreamedAnswer:
    """An answer after its headers."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}

    async def chunk(self) -> bytes:
        """See `ports.UpstreamStream`."""
        try:
            return await self._response.content.readany()
        except aiohttp.ClientError:
            raise CutOff from None

    def close(self) -> None:
        """See `ports.UpstreamStream`."""
        self._response.release()


class StreamSource:
    """Sends requests through the egress listener at `egress_url` (`unix:///path` or `http://host:port`)."""

    def __init__(self, egress_url: str) -> None:
        """Open no connections yet."""
        self._uds = egress_url.removeprefix("unix://") if egress_url.startswith("unix://") else None
        self._origin = "http://egress" if self._uds else egress_url
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, route: str, path: str, headers: Mapping[str, str], body: bytes) -> StreamedAnswer:
        """See `ports.Source.ask`."""
        url = URL(self._origin + path, encoded=True)
        try:
            response = await self._opened().post(
                url, data=body, headers={**headers, ROUTE_HEADER: route}, allow_redirects=False
            )
        except aiohttp.ClientError:
            raise CutOff from None
        return StreamedAnswer(response)

    async def aclose(self) -> None:
        """Close the pooled connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                timeout=_NO_TIMEOUT,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_NOT_OURS_TO_ADD,
                # Envoy's limit for a provider's headers, plus its own additions.
                max_line_size=1 << 17,
                max_field_size=1 << 17,
            )
        return self._session

    def _connector(self) -> aiohttp.BaseConnector:
        if self._uds:
            return aiohttp.UnixConnector(self._uds, limit=0, keepalive_timeout=_KEPT_SECONDS)
        return aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_SECONDS)
