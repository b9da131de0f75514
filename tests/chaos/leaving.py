"""No client and no upstream can crash Envoy: random tries of large and slow bodies, and of both sides leaving at any moment."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.fickle_upstream import fickle_upstream
from tests.chaos.leavers import Try, do, make_up
from tests.kit.plano_up import Config, Running, plano_up

_AT_ONCE = 20
_WELL_SECONDS = 30


@dataclass(slots=True)
class Tally:
    """What was tried, and what crashed."""

    tries: Counter[str] = field(default_factory=Counter)
    """By route."""
    crashes: list[list[Try]] = field(default_factory=list)
    """Each with the tries that were under way."""
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Describe it."""
        routes = ", ".join(f"{route} {count}" for route, count in sorted(self.tries.items()))
        lines = [f"{self.tries.total()} tries, {len(self.crashes)} crashes of Envoy ({routes})"]
        return "\n".join([*lines, *map(repr, self.crashes), *self.problems])


async def leaving(folder: Path, *, tries: int, largest: int, seed: int, continues_streams: bool = True) -> Tally:
    """Run; `largest` is in bytes. Afterwards a request must be answered."""
    tally, random = Tally(), Random(seed)
    async with (
        fickle_upstream() as port,
        plano_up(config(port, largest, continues_streams=continues_streams), folder) as gateway,
    ):
        starts = _envoy_starts(gateway)
        for first in range(0, tries, _AT_ONCE):
            batch = [make_up(random, largest) for _ in range(min(_AT_ONCE, tries - first))]
            tally.tries.update(one.route for one in batch)
            await asyncio.gather(*(do(one, gateway.url(one.listener)) for one in batch))
            if (now := _envoy_starts(gateway)) != starts:
                starts = now
                tally.crashes.append(batch)
                await _well(gateway)
        tally.problems += await _last_answer(gateway)
    return tally


def config(port: int, largest: int, *, continues_streams: bool) -> Config:
    """Write the configuration: every kind of route, and one upstream."""
    where = f"http://127.0.0.1:{port}"

    def provider(model: str, **more: Any) -> dict[str, Any]:
        return {"model": model, "base_url": where, "access_key": "sk-chaos", **more}

    return {
        "agents": [{"id": "agent", "url": where}],
        "model_providers": [
            provider("openai/plain"),
            provider("openai/chained", fallbacks=["openai/plain"]),
            provider("anthropic/mixed", fallbacks=["openai/plain"]),
        ],
        "listeners": [
            {"type": "model", "name": "models", "continues_streams": continues_streams},
            {"type": "agent", "name": "agents", "agents": [{"id": "agent", "description": "Knows all."}]},
        ],
        "overrides": {
            "max_request_bytes": 2 * largest,
            "resilience": {"outlier_detection": {"max_ejection_percent": 0}, "timeouts": {"first_byte": "3s", "idle": "3s"}},
        },
    }


def _envoy_starts(gateway: Running) -> int:
    restarts: Mapping[str, Any] = gateway.process("envoy")
    return int(restarts["restarts"])


async def _well(gateway: Running) -> None:
    async with asyncio.timeout(_WELL_SECONDS):
        while True:
            if await gateway.is_healthy():
                return
            await asyncio.sleep(0.1)


async def _last_answer(gateway: Running) -> list[str]:
    asked = {"model": "openai/chained", "messages": [{"role": "user", "content": "hi"}]}
    answer = await gateway.post("models", asked)
    return [] if answer.status_code == 200 else [f"afterwards a request got {answer.status_code}: {answer.text[:200]}"]
