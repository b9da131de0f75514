"""Envoy's health checks and draining, through its listeners and its admin interface."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

import httpx

POLL_SECONDS = 0.1
_ADMIN_GAUGE = "http.admin."


_NO_CERTIFICATE = "CERTIFICATE_REQUIRED"


def local_client() -> httpx.AsyncClient:
    """Return a client for local addresses, which ignores proxies in the environment.

    It accepts any certificate: those of listeners have the names for clients, and no secrets are sent.
    """
    return httpx.AsyncClient(trust_env=False, timeout=2.0, verify=False)  # noqa: S501 - see above


def admin_client(admin_socket: str) -> httpx.AsyncClient:
    """Return a client of Envoy's admin interface, which listens on a Unix socket."""
    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=admin_socket), base_url="http://envoy", timeout=2.0)


async def is_healthy(client: httpx.AsyncClient, url: str) -> bool:
    """Return whether a listener's /healthz says 200; one that wants a certificate, which nobody has here, is at least there."""
    try:
        return (await client.get(f"{url}/healthz")).status_code == httpx.codes.OK
    except (httpx.HTTPError, ssl.SSLError) as error:  # httpx lets an alert after the handshake through
        return _NO_CERTIFICATE in str(error)


async def wait_until_healthy(url: str) -> None:
    """Return once a listener is healthy. The caller bounds the wait."""
    async with local_client() as client:
        await wait_until(partial(is_healthy, client, url), poll_seconds=0.05)


async def wait_until(condition: Callable[[], Awaitable[bool]], *, poll_seconds: float = POLL_SECONDS) -> None:
    """Return once a condition on another process holds. The caller bounds the wait."""
    while not await condition():  # noqa: ASYNC110 other processes cannot set events here
        await asyncio.sleep(poll_seconds)


async def drain(admin_socket: str, *, bound_seconds: float) -> None:
    """Refuse new connections, close idle ones, then wait until no request is active, or for the time limit.

    The egress listener (outbound) stays open: active requests may still need filters and the orchestrator.
    """
    try:
        async with asyncio.timeout(bound_seconds), admin_client(admin_socket) as client:
            await client.post("/healthcheck/fail")  # answers carry `connection: close` from now on
            await client.post("/drain_listeners", params={"inboundonly": ""})
            await wait_until(partial(_is_idle, client))
    except (TimeoutError, httpx.HTTPError):  # timed out, or Envoy has exited already: stop it all the same
        return


async def _is_idle(client: httpx.AsyncClient) -> bool:
    answer = await client.get("/stats", params={"filter": "downstream_rq_active$"})
    gauges = (line.rpartition(": ") for line in answer.text.splitlines())
    return not any(int(value) for name, _, value in gauges if name and not name.startswith(_ADMIN_GAUGE))
