"""MCP filters: `tools/call` with the arguments `body` (the client's JSON) and `path`; the tool's result replaces the body.

Plano's contract: a tool that reports an error rejects the request with 400. Here it may set another 4xx in its structured
content, and a tool that does not exist, or has other arguments, is the filter's fault and not the client's.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final

import orjson

from ext_proc.filters.filter import Filter
from ext_proc.filters.filter_reply import failed, message_of, rejected, timed_out
from ext_proc.filters.filtered_request import FilteredRequest, forwarded_headers
from ext_proc.filters.json_rpc import JsonRpcError, request
from ext_proc.filters.mcp_session import McpPeer, McpSessions, read_mcp_result
from ext_proc.ports import Egress, EgressResponse

_CALL_ID: Final = 2
_MAX_DEPTH: Final = 4
"""Depth to which a status is searched."""


async def call_mcp_filter(filter_: Filter, call: FilteredRequest, *, egress: Egress, sessions: McpSessions) -> bytes:
    """Call the filter's tool and return the resulting body; the filter's timeout bounds handshake and call together.

    Raises:
        FilterRejected, FilterFailed: see `filter_reply`.
    """
    peer = McpPeer(filter_, mcp_filter_headers(filter_, call), egress)
    try:
        async with asyncio.timeout(filter_.timeout_seconds):
            reply = await _call_tool(peer, tool_call(filter_, call), sessions)
    except TimeoutError as error:
        raise timed_out(filter_.id) from error
    return read_tool_reply(filter_, reply)


async def _call_tool(peer: McpPeer, body: bytes, sessions: McpSessions) -> EgressResponse:
    known = sessions.knows(peer.filter)
    session = await sessions.get(peer)
    reply = await peer.post(body, session.headers)
    if known and _lost_its_session(reply):
        sessions.forget(peer.filter, session)
        session = await sessions.get(peer)
        reply = await peer.post(body, session.headers)
    return reply


def _lost_its_session(reply: EgressResponse) -> bool:
    # 404 by the specification; some servers answer 400, which also rejects a request.
    return not reply.local_reply and (reply.status == 404 or (reply.status == 400 and b"session" in reply.body.lower()))


def mcp_filter_headers(filter_: Filter, call: FilteredRequest) -> dict[str, str]:
    """Return the headers of every message to the filter."""
    # A client's own MCP session is not for the filter.
    forwarded = forwarded_headers(call.headers, passthrough_auth=filter_.passthrough_auth)
    return forwarded | {
        "accept": "application/json, text/event-stream",
        "accept-encoding": "identity",
        "content-type": "application/json",
    }


def tool_call(filter_: Filter, call: FilteredRequest) -> bytes:
    """Encode the call of the filter's tool."""
    arguments = {"body": orjson.Fragment(call.body), "path": call.path}
    return request(_CALL_ID, "tools/call", {"name": filter_.tool or filter_.id, "arguments": arguments})


def read_tool_reply(filter_: Filter, reply: EgressResponse) -> bytes:
    """Return the filter's body.

    Raises:
        FilterRejected, FilterFailed: see `filter_reply`.
    """
    try:
        result = read_mcp_result(filter_.id, reply, _CALL_ID)
    except JsonRpcError as error:
        raise failed(filter_.id, "refused the call of its tool", detail=str(error)) from error
    structured = result.get("structuredContent")
    text = _first_text(result.get("content"))
    if result.get("isError"):
        raise _tool_error(filter_, text, structured)
    return _payload(filter_.id, structured, text)


def _payload(filter_id: str, structured: object, text: str) -> bytes:
    # A tool that is not declared to return an object has its result wrapped: {"result": ...}.
    if isinstance(structured, dict) and structured.keys() == {"result"}:
        structured = structured["result"]
    if isinstance(structured, dict):
        return _encode(filter_id, structured)
    document = structured if isinstance(structured, str) else text
    try:
        body = orjson.loads(document)
    except ValueError as error:
        raise failed(filter_id, "returned something that is not JSON", detail=str(error)) from error
    if not isinstance(body, dict):
        raise failed(filter_id, "returned something that is not a JSON object")
    return document.encode()


def _encode(filter_id: str, body: Mapping[str, object]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise failed(filter_id, "returned JSON that is nested too deep", detail=str(error)) from error


def _tool_error(filter_: Filter, text: str, structured: object) -> Exception:
    tool = filter_.tool or filter_.id
    if text.startswith("Unknown tool"):
        return failed(filter_.id, f"has no tool '{tool}'")
    # The Python SDKs' message for invalid arguments.
    if re.search(rf"validation errors? for (call\[{re.escape(tool)}\]|{re.escape(tool)}Arguments)\b", text[:500]):
        return failed(filter_.id, f"has a tool '{tool}' that does not take the arguments body and path", detail=text[:500])
    message = message_of(text.removeprefix(f"Error executing tool {tool}: "))
    return rejected(filter_.id, _status_in(structured) or _status_in(_object_in(text)) or 400, text, message)


def _status_in(value: object, depth: int = 0) -> int | None:
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return None
    status = value.get("status")
    if isinstance(status, int) and 400 <= status < 500:
        return status
    return _status_in(value.get("error"), depth + 1) or _status_in(value.get("result"), depth + 1)


def _object_in(text: str) -> object:
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _first_text(content: object) -> str:
    parts = content if isinstance(content, list) else []
    texts = (part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
    return next(texts, "")
