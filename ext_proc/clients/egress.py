"""The Egress and Fetch ports over httpx, towards Envoy's egress listener.

Envoy does retries, load balancing, connection limits, and the timeout, which is sent in a
header that the egress listener trusts. The timeout here is slightly longer, in case Envoy itself hangs.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import httpx

from ext_proc.codec.content_encoding import GrowsTooMuch, Plain, decoder
from ext_proc.errors import UpstreamError
from ext_proc.ports import TOO_LARGE, EgressResponse
from protos.contract.headers import LOCAL_REPLY_HEADER, ROUTE_HEADER

TIMEOUT_HEADER: Final = "x-envoy-upstream-rq-timeout-ms"

_GUARD_SECONDS: Final = 1.0
_LIMITS: Final = httpx.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=60)

_TIMED_OUT: Final = EgressResponse(504, {}, b"", "UT")
_UNREACHABLE: Final = EgressResponse(503, {}, b"", "UF")
_TOO_LARGE: Final = EgressResponse(502, {}, b"", TOO_LARGE)


class HttpxEgress:
    """Calls upstreams through the egress listener at `egress_url` (`unix:///path` or `http://host:port`)."""

    def __init__(self, egress_url: str, *, max_response_bytes: int = 50 * 1024 * 1024) -> None:
        """Open no connections yet."""
        uds = egress_url.removeprefix("unix://") if egress_url.startswith("unix://") else None
        self._origin = httpx.URL("http://egress" if uds else egress_url)
        self._max_response_bytes = max_response_bytes
        # The timeout in `post` bounds the whole call; a timeout per read would add nothing.
        no_timeout = httpx.Timeout(None)
        transport = httpx.AsyncHTTPTransport(uds=uds, limits=_LIMITS, retries=0, trust_env=False)
        # No default headers: only those of the caller and of this class are sent.
        self._client = httpx.AsyncClient(transport=transport, trust_env=False, timeout=no_timeout, follow_redirects=False)
        self._client.headers.clear()

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        """See `ports.Egress.post`."""
        return await self._call("POST", route, path, headers, body, timeout_seconds)

    async def get(self, route: str, path: str, *, headers: Mapping[str, str], timeout_seconds: float) -> EgressResponse:
        """See `ports.Fetch.get`."""
        return await self._call("GET", route, path, headers, None, timeout_seconds)

    async def _call(
        self, method: str, route: str, path: str, headers: Mapping[str, str], body: bytes | None, timeout_seconds: float
    ) -> EgressResponse:
        request = self._client.build_request(
            method,
            self._origin.copy_with(raw_path=path.encode()),
            headers=_encoded({**headers, ROUTE_HEADER: route, TIMEOUT_HEADER: str(max(1, round(timeout_seconds * 1000)))}),
            content=body,
        )
        try:
            async with asyncio.timeout(timeout_seconds + _GUARD_SECONDS):
                return await self._send(request)
        except TimeoutError:
            return _TIMED_OUT
        except httpx.HTTPError:
            return _UNREACHABLE

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()

    async def _send(self, request: httpx.Request) -> EgressResponse:
        response = await self._client.send(request, stream=True)
        try:
            # A body that cannot be decompressed is left as is, and later found to be invalid.
            undo = decoder(response.headers.get("content-encoding", "")) or Plain()
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += undo.decode(chunk)
                if len(body) > self._max_response_bytes:
                    return _TOO_LARGE
        except GrowsTooMuch:
            return _TOO_LARGE
        except UpstreamError:
            return _UNREACHABLE
        finally:
            await response.aclose()
        headers = dict(response.headers.items())
        return EgressResponse(response.status_code, headers, bytes(body), headers.get(LOCAL_REPLY_HEADER, ""))


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    # httpx would reject non-ASCII header values, which are allowed.
    return [(name.encode(), value.encode(errors="surrogateescape")) for name, value in headers.items()]
