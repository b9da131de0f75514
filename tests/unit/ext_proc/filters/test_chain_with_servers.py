"""Chains through the real adapter to real filters: the official MCP server and an HTTP server."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ext_proc.clients.egress import HttpxEgress
from ext_proc.errors import FilterFailed, FilterRejected
from ext_proc.filters.chain import run_chain
from ext_proc.filters.filter import Filter
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.filters.mcp_session import McpSessions
from tests.kit.asgi_server import serve

Connect = Callable[[Any], Any]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Serve an application and return an egress that leads to it."""
    async with AsyncExitStack() as stack:

        async def connected(app: Any) -> HttpxEgress:
            egress = HttpxEgress(await stack.enter_async_context(serve(app)))
            stack.push_async_callback(egress.aclose)
            return egress

        yield connected


def guards() -> MCPServer:
    server = MCPServer("guards", log_level="CRITICAL")

    @server.tool()
    def rewrite(body: dict[str, Any], path: str) -> dict[str, Any]:
        return {**body, "messages": [{"role": "user", "content": f"seen at {path}"}]}

    @server.tool()
    def as_text(body: dict[str, Any], path: str) -> str:
        return orjson.dumps({**body, "texted": True}).decode()

    @server.tool()
    def only_travel(body: dict[str, Any], path: str) -> dict[str, Any]:
        raise ToolError("Only travel, please.")

    @server.tool()
    def other_arguments(question: str) -> str:
        return question

    return server


def mcp_filter(tool: str) -> Filter:
    return Filter(id="guard", type="mcp", route="filter/guard", tool=tool)


def question(text: str = "hi") -> FilteredRequest:
    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})
    return FilteredRequest(path="/v1/chat/completions", headers={"x-request-id": "r"}, body=body)


MODES = [{}, {"json_response": True}, {"stateless_http": True}, {"stateless_http": True, "json_response": True}]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "+".join(mode) or "sessions+sse")
async def test_the_official_mcp_server_is_understood_in_every_mode(connect: Connect, mode: dict[str, Any]) -> None:
    egress, sessions = await connect(guards().streamable_http_app(**mode)), McpSessions()
    left = await run_chain([mcp_filter("rewrite"), mcp_filter("as_text")], question(), egress=egress, sessions=sessions)
    assert orjson.loads(left) == {
        "model": "m",
        "messages": [{"role": "user", "content": "seen at /v1/chat/completions"}],
        "texted": True,
    }
    with pytest.raises(FilterRejected) as rejection:
        await run_chain([mcp_filter("only_travel")], question(), egress=egress, sessions=sessions)
    assert (rejection.value.status, rejection.value.public_message) == (400, "Only travel, please.")
    for tool in ("missing", "other_arguments"):
        with pytest.raises(FilterFailed) as failure:
            await run_chain([mcp_filter(tool)], question(), egress=egress, sessions=sessions)
        assert failure.value.status == 502


async def test_a_restarted_mcp_server_costs_no_request(connect: Connect) -> None:
    sessions = McpSessions()
    for _ in range(2):
        egress = await connect(guards().streamable_http_app())
        assert b"seen at" in await run_chain([mcp_filter("rewrite")], question(), egress=egress, sessions=sessions)


async def test_a_chain_over_http(connect: Connect) -> None:
    async def shout(request: Request) -> Response:
        body = await request.json()
        for message in body["messages"]:
            message["content"] = message["content"].upper()
        return JSONResponse(body)

    async def guard(request: Request) -> Response:
        text = (await request.json())["messages"][0]["content"]
        return JSONResponse({"detail": "Quiet!"}, 403) if text.isupper() else Response(status_code=204)

    app = Starlette(
        routes=[
            Route("/shout/v1/chat/completions", shout, methods=["POST"]),
            Route("/guard/v1/chat/completions", guard, methods=["POST"]),
        ]
    )
    egress, sessions = await connect(app), McpSessions()
    shouting, guarding = (Filter(id=name, type="http", route=f"filter/{name}", path=f"/{name}") for name in ("shout", "guard"))
    left = await run_chain([guarding, shouting], question(), egress=egress, sessions=sessions)
    assert orjson.loads(left)["messages"][0]["content"] == "HI"
    with pytest.raises(FilterRejected) as rejection:
        await run_chain([shouting, guarding], question(), egress=egress, sessions=sessions)
    assert (rejection.value.status, rejection.value.public_message) == (403, "Quiet!")
