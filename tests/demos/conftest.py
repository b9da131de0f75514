"""A whole travel demo without the gateway: recorded APIs, stand-in provider and agents, each on a port of its own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest

from demos.travel_booking.agents.__main__ import AGENTS
from demos.travel_booking.agents.service import build_service
from demos.travel_booking.agents.settings import Settings
from demos.travel_booking.recorded_apis import build_app as build_recorded_apis
from demos.travel_booking.stand_in_provider.app import build_app as build_stand_in
from tests.demos.as_gateway import AsGateway
from tests.kit.asgi_server import serve

KEY = "the-right-key"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
async def recorded_apis() -> AsyncIterator[str]:
    """URL of the recorded APIs."""
    async with serve(build_recorded_apis()) as url:
        yield url


@pytest.fixture
async def stand_in() -> AsyncIterator[str]:
    """URL of the stand-in provider, which wants KEY."""
    async with serve(build_stand_in(KEY)) as url:
        yield url


@dataclass
class Demo:
    """Starts agents on demand."""

    stack: AsyncExitStack
    settings: Settings
    gateway: AsGateway

    async def agent(self, agent_id: str, **changed: str | None) -> str:
        """Start an agent with changed settings and return its URL."""
        service = build_service(AGENTS[agent_id], replace(self.settings, **changed))  # type: ignore[arg-type]
        return await self.stack.enter_async_context(serve(service))


@pytest.fixture
async def demo(recorded_apis: str) -> AsyncIterator[Demo]:
    """Everything but the agents."""
    async with AsyncExitStack() as stack:
        gateway = AsGateway(build_stand_in(KEY), KEY)
        url = await stack.enter_async_context(serve(gateway))
        apis = recorded_apis
        settings = Settings(
            llm_gateway=f"{url}/v1", geocoding=apis, open_meteo=apis, aeroapi=apis, aeroapi_key="any", frankfurter=apis
        )
        yield Demo(stack, settings, gateway)
