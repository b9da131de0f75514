"""The gateway under test, and everybody behind it: three providers and two agents, with instances and fallbacks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.client import CHAT, MESSAGES, RESPONSES, Request
from tests.chaos.faults import Fault, Weather
from tests.chaos.truth import question
from tests.chaos.upstream import Instance
from tests.kit.plano_up import EVERY_API, Config, Running, plano_up
from tests.kit.switchable import Switchable

INSTANCES = {"openai": 2, "anthropic": 2, "deepseek": 2, "weather": 3, "flight": 2}
MODELS = ("openai/gpt-4o", "anthropic/claude-sonnet-4-0", "deepseek/chat")
TOPICS = ("Will it rain in Seattle, what is the weather forecast?", "Find a flight to an airport in Paris.")
_KEYS = {"OPENAI_KEY": "sk-chaos-openai", "ANTHROPIC_KEY": "sk-chaos-anthropic", "DEEPSEEK_KEY": "sk-chaos-deepseek"}


@dataclass(slots=True)
class World:
    """What happens in it is decided by its seed alone, except for what the clock decides."""

    gateway: Running
    random: Random
    instances: list[Switchable]
    weathers: list[Weather]

    def request(self, number: int) -> Request:
        """Make up a request."""
        is_for_agent, path = self.random.random() < 0.4, self.random.choice((CHAT, MESSAGES, RESPONSES))
        content = question(number, self.random.choice(TOPICS))
        body: dict[str, Any] = {"model": self.random.choice(MODELS)}
        if path == RESPONSES:
            body |= {"input": content, "max_output_tokens": 100, "store": False}
        else:
            body |= {"messages": [{"role": "user", "content": content}], "max_tokens": 100}
        if self.random.random() < 0.5:
            body["stream"] = True
        url = self.gateway.url("travel" if is_for_agent else "models")
        return Request(number=number, url=url, path=path, body=body, is_for_agent=is_for_agent)

    async def flap(self) -> None:
        """Take one instance after the other down for a while."""
        while True:
            instance = self.random.choice(self.instances)
            await instance.down()
            try:
                await asyncio.sleep(self.random.uniform(0.1, 1))
            finally:
                await instance.up()
            await asyncio.sleep(self.random.uniform(0.5, 2))

    def calm(self) -> None:
        """Let nothing happen any more."""
        for weather in self.weathers:
            weather.calm()


def config(urls: dict[str, list[str]]) -> Config:
    """Write the configuration: short times, so that much happens in a short run."""
    agents: list[dict[str, Any]] = [
        # This one may be asked twice; the other is like most agents, which may not.
        {"id": "weather", "resilience": {"retries": {"on": ["connect-failure", "refused-stream", "reset", 429, 500, 503]}}},
        {"id": "flight"},
    ]
    descriptions = {"weather": "Tells the weather: rain, sun and forecasts.", "flight": "Finds flights and airports."}
    openai, anthropic, deepseek = MODELS
    return {
        "agents": [
            agent | {"url": urls[agent["id"]], "fallbacks": [other["id"]], "api": EVERY_API}
            for agent, other in zip(agents, reversed(agents), strict=True)
        ],
        "model_providers": [
            {"model": openai, "base_url": urls["openai"], "access_key": "$OPENAI_KEY", "fallbacks": [anthropic, deepseek]},
            {"model": anthropic, "base_url": urls["anthropic"], "access_key": "$ANTHROPIC_KEY", "fallbacks": [openai]},
            # Its like alone: nothing is translated, and attempts leave.
            {"model": deepseek, "base_url": urls["deepseek"], "access_key": "$DEEPSEEK_KEY", "fallbacks": [openai]},
        ],
        "listeners": [
            {
                "type": "agent",
                "name": "travel",
                "agents": [{"id": name, "description": text} for name, text in descriptions.items()],
            },
            {"type": "model", "name": "models"},
        ],
        "overrides": {
            "resilience": {
                "retries": {"attempts": 3, "backoff": {"base": "25ms", "max": "1s"}},
                "timeouts": {"connect": "1s", "first_byte": "1500ms", "whole": "1500ms", "idle": "1500ms"},
                "outlier_detection": {"ejection_time": "1s"},
            }
        },
    }


@asynccontextmanager
async def world(folder: Path, *, seed: int, share: float, met: Callable[[int, Fault], None]) -> AsyncIterator[World]:
    """Run the gateway and everybody behind it."""
    async with AsyncExitStack() as stack:
        weathers, instances, urls = [], [], {}
        for name, count in INSTANCES.items():
            made = [Weather(Random(f"{seed} {name} {index}"), share) for index in range(count)]
            switchables = [Switchable(Instance(weather, met)) for weather in made]
            for instance in switchables:
                await instance.up()
                stack.push_async_callback(instance.down)
            urls[name] = [f"http://127.0.0.1:{instance.port}" for instance in switchables]
            weathers += made
            instances += switchables
        gateway = await stack.enter_async_context(plano_up(config(urls), folder, env=_KEYS))
        yield World(gateway, Random(seed), instances, weathers)
