"""MCP sessions with filters, one per filter and worker, kept between requests.

A session begins with `initialize` and `notifications/initialized`. A server without sessions sends no id, which is stored
as well, together with the negotiated protocol version. A session ends when the server
has forgotten it (404): that call opens a new one, once.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ext_proc.filters.filter import Filter
from ext_proc.filters.filter_reply import check_reply, failed
from ext_proc.filters.json_rpc import JsonRpcError, NoResponse, notification, read_result, request
from ext_proc.ports import Egress, EgressResponse

NEWEST_REVISION: Final = "2025-11-25"
OLDEST_REVISION: Final = "2024-11-05"
"""Protocol version for servers that reject the newest one instead of naming their own."""

CLIENT_INFO: Final = {"name": "plano-gateway", "version": "1"}
SESSION_HEADER: Final = "mcp-session-id"
REVISION_HEADER: Final = "mcp-protocol-version"

_VISIBLE_ASCII: Final = re.compile(r"[\x21-\x7e]{1,1024}")
_REVISION: Final = re.compile(r"[\w.-]{1,32}", re.ASCII)
_INITIALIZE_ID: Final = 1
_NOT_MCP: Final = frozenset({404, 405, 406, 415, 421})
"""Statuses of a missing or inaccessible MCP endpoint, which do not reject the client's request."""


@dataclass(frozen=True, slots=True)
class McpSession:
    """The result of the handshake. Compared by identity."""

    id: str
    """Empty if the server has no sessions."""
    revision: str

    @property
    def headers(self) -> dict[str, str]:
        """Headers that each request of the session carries."""
        named = {REVISION_HEADER: self.revision}
        return named | {SESSION_HEADER: self.id} if self.id else named


@dataclass(frozen=True, slots=True)
class McpPeer:
    """One MCP server, with the headers of one request."""

    filter: Filter
    headers: Mapping[str, str]
    egress: Egress

    async def post(self, body: bytes, headers: Mapping[str, str]) -> EgressResponse:
        """POST a JSON-RPC message."""
        return await self.egress.post(
            self.filter.route,
            self.filter.path or "/mcp",
            headers={**self.headers, **headers},
            body=body,
            timeout_seconds=self.filter.timeout_seconds,
        )


class McpSessions:
    """The open sessions of a worker. Create one per worker and pass it to every chain."""

    def __init__(self) -> None:
        self._open: dict[Filter, McpSession] = {}
        self._opening: dict[Filter, asyncio.Lock] = {}

    async def get(self, peer: McpPeer) -> McpSession:
        """Return the session with the filter, opening it if there is none. Simultaneous callers share one handshake."""
        if peer.filter.passthrough_auth:
            # A server may bind a session to a client's credentials, so it is not shared between clients.
            return await open_session(peer)
        if (session := self._open.get(peer.filter)) is not None:
            return session
        async with self._opening.setdefault(peer.filter, asyncio.Lock()):
            if (session := self._open.get(peer.filter)) is None:
                session = self._open[peer.filter] = await open_session(peer)
        return session

    def knows(self, filter_: Filter) -> bool:
        """Whether a session was opened by an earlier request, and so may have expired."""
        return filter_ in self._open

    def forget(self, filter_: Filter, session: McpSession) -> None:
        """Drop the session, unless another request has replaced it."""
        if self._open.get(filter_) is session:
            del self._open[filter_]

    def keep_only(self, filters: frozenset[Filter]) -> None:
        """Drop the sessions of filters that are no longer configured."""
        for gone in self._open.keys() - filters:
            del self._open[gone]
        for gone in self._opening.keys() - filters:
            del self._opening[gone]


async def open_session(peer: McpPeer) -> McpSession:
    """Shake hands with an MCP server.

    Raises:
        FilterRejected, FilterFailed: see `filter_reply`.
    """
    try:
        session = await _initialize(peer, NEWEST_REVISION)
    except JsonRpcError:
        try:
            session = await _initialize(peer, OLDEST_REVISION)
        except JsonRpcError as error:
            raise failed(peer.filter.id, "refused the MCP handshake", detail=str(error)) from error
    check_reply(peer.filter.id, await peer.post(notification("notifications/initialized"), session.headers))
    return session


async def _initialize(peer: McpPeer, revision: str) -> McpSession:
    offer = {"protocolVersion": revision, "capabilities": {}, "clientInfo": CLIENT_INFO}
    reply = await peer.post(request(_INITIALIZE_ID, "initialize", offer), {})
    result = read_mcp_result(peer.filter.id, reply, _INITIALIZE_ID)
    agreed = result.get("protocolVersion")
    session_id = reply.headers.get(SESSION_HEADER, "")
    if (
        not isinstance(agreed, str)
        or not _REVISION.fullmatch(agreed)
        or (session_id and not _VISIBLE_ASCII.fullmatch(session_id))
    ):
        raise failed(peer.filter.id, "answered the MCP handshake with nonsense")
    return McpSession(session_id, agreed)


def read_mcp_result(filter_id: str, reply: EgressResponse, request_id: int) -> Mapping[str, object]:
    """Return the result of a request.

    Raises:
        JsonRpcError: the server returned an error, with any status.
        FilterRejected, FilterFailed: see `filter_reply`.
    """
    if reply.local_reply or reply.status >= 500:
        check_reply(filter_id, reply)
    try:
        return read_result(reply, request_id)
    except NoResponse as error:
        if reply.status in _NOT_MCP:
            raise failed(filter_id, "has no MCP server at its URL", detail=f"status {reply.status}") from error
        check_reply(filter_id, reply)
        raise failed(filter_id, "did not answer as an MCP server does", detail=str(error)) from error
