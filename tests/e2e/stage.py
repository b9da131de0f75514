"""The gateway that most end-to-end tests share, and everybody around it: agents, filters, providers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from tests.kit.actor import Actor, acting
from tests.kit.asgi_server import serve
from tests.kit.envoy import free_port
from tests.kit.plano_up import EVERY_API, Config, Running, plano_up
from tests.kit.stub_upstream import Answer

SECRETS = {"OPENAI_KEY": "sk-secret-openai", "GROQ_KEY": "sk-secret-groq", "ANTHROPIC_KEY": "sk-secret-anthropic"}
UNCHANGED = Answer(body=b"")
USUAL = {
    "weather": Answer(body=b'{"from": "weather"}'),
    "flight": Answer(body=b'{"from": "flight"}'),
    "guard": UNCHANGED,
    "audit": UNCHANGED,
    "provider": Answer(body=b'{"from": "provider"}'),
}
MAX_BYTES = 1 << 20

WEATHER = {"id": "weather", "description": "Tells the weather: rain, sun and forecasts for any city."}
FLIGHT = {"id": "flight", "description": "Finds flights, airlines and departures between airports."}


@dataclass(slots=True)
class Stage:
    """What a test works with."""

    gateway: Running
    weather: Actor
    flight: Actor
    guard: Actor
    """An HTTP filter: first of the chain `filtered`, and the only one of the model listener."""
    audit: Actor
    """An HTTP filter: last of the chain `filtered`."""
    provider: Actor
    """Plays every model provider."""
    is_native: bool
    """Whether plain calls of models need no ext_proc: their listener has no filter then."""

    def reset(self) -> None:
        """Let everybody do as usual, and forget."""
        for actor in (self.weather, self.flight, self.guard, self.audit, self.provider):
            actor.reset()


def mcp_filter() -> MCPServer:
    """Build an MCP server that adds to a request, or refuses it for the word `forbidden`."""
    server = MCPServer("filters", log_level="CRITICAL")

    @server.tool()
    def stamp(body: dict[str, Any], path: str) -> dict[str, Any]:
        if "forbidden" in str(body):
            raise ToolError("That is forbidden here.")
        return {**body, "seen": [*body.get("seen", []), f"stamp at {path}"]}

    return server


def config(actors: dict[str, Actor], mcp_url: str, *, is_native: bool) -> Config:
    """Write the configuration: a listener for each situation."""
    closed = f"http://127.0.0.1:{free_port()}"

    def agent(name: str, *agents: dict[str, Any], **settings: Any) -> dict[str, Any]:
        return {"type": "agent", "name": name, "agents": list(agents), **settings}

    def model(name: str, key: str | None = None, path: str = "", **settings: Any) -> dict[str, Any]:
        return (
            {"model": name, "base_url": actors["provider"].url + path} | settings | ({"access_key": f"${key}"} if key else {})
        )

    def filtered(*filters: str) -> dict[str, Any]:
        return WEATHER | {"input_filters": list(filters)}

    return {
        "agents": [
            {"id": "weather", "url": actors["weather"].url, "api": EVERY_API},
            {"id": "flight", "url": f"{actors['flight'].url}/base", "api": EVERY_API},
            {"id": "absent", "url": closed, "api": EVERY_API},
        ],
        "filters": [
            {"id": "guard", "type": "http", "url": f"{actors['guard'].url}/guard", "timeout": "400ms"},
            {"id": "stamp", "type": "mcp", "url": f"{mcp_url}/mcp"},
            {"id": "audit", "type": "http", "url": actors["audit"].url, "passthrough_auth": True},
            {"id": "absent_filter", "type": "http", "url": closed},
            {"id": "absent_mcp", "type": "mcp", "url": closed},
        ],
        "model_providers": [
            model("openai/gpt-4o", "OPENAI_KEY", default=True),
            model("openai/text-embedding-3-small", "OPENAI_KEY"),
            model("groq/llama", "GROQ_KEY", http_host="groq.example"),
            model("mistral/*", "OPENAI_KEY", "/eu/v1"),
            model("anthropic/claude", "ANTHROPIC_KEY"),
            model("deepseek/mine", passthrough_auth=True),
            {"model": "xai/gone", "base_url": closed, "access_key": "$OPENAI_KEY"},
        ],
        "model_aliases": {"fast": {"target": "gpt-4o"}, "faster": {"target": "fast"}},
        "listeners": [
            agent("solo", WEATHER),
            agent("travel", WEATHER, FLIGHT),
            agent("hasty", WEATHER, timeout="500ms"),
            agent("quiet", WEATHER, timeout="500ms", idle_timeout="500ms"),
            agent("absent", {"id": "absent", "description": "Is never there."}),
            agent("filtered", filtered("guard", "stamp", "audit")),
            agent("filter_down", filtered("absent_filter")),
            agent("mcp_down", filtered("absent_mcp")),
            {"type": "model", "name": "models", "input_filters": [] if is_native else ["guard"]},
        ],
        "overrides": {"max_request_bytes": MAX_BYTES, "agent_embedding_model": "none"},
    }


@asynccontextmanager
async def staged(folder: Path, *, is_native: bool = False) -> AsyncIterator[Stage]:
    """Run the gateway with everybody around it."""
    async with AsyncExitStack() as stack:
        actors = {name: await stack.enter_async_context(acting(usual)) for name, usual in USUAL.items()}
        mcp_url = await stack.enter_async_context(serve(mcp_filter().streamable_http_app()))
        gateway = await stack.enter_async_context(plano_up(config(actors, mcp_url, is_native=is_native), folder, env=SECRETS))
        yield Stage(gateway, is_native=is_native, **actors)
