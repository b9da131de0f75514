"""Providers that end their streams by trailers, which HTTP/2 allows, behind a real Envoy."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.kit.certificates import issue
from tests.kit.http2_upstream import http2_upstream
from tests.kit.llm_provider import HELLO
from tests.kit.llm_streams import STREAMS
from tests.kit.model_world import ModelWorld, model_world

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-http2-providers")]

FIRST_BYTE_SECONDS = 1
FIRST, SECOND = "openai/first", "mistral/second"
CONFIG = """
version: v0.4.0
model_providers:
  - {{model: openai/first, base_url: "https://localhost:H2", access_key: sk-1, fallbacks: [mistral/second]}}
  - {{model: mistral/second, base_url: "http://127.0.0.1:{mistral}", access_key: sk-2}}
overrides:
  upstream_tls_ca_path: "CA"
  resilience:
    retries: {{attempts: 0}}
    outlier_detection: {{consecutive_errors: 1000}}
    timeouts: {{idle: 2s, first_byte: FIRSTs}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s, MODE}}
"""
MODES = {"continued": "continues_streams: true", "gated": "continues_streams: false"}
STREAM = STREAMS["chat_completions"](HELLO)
ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
BUSY = b'data: {"error":{"message":"busy","code":503}}\n\n'


@dataclass
class World:
    models: ModelWorld
    pieces: list[bytes] = field(default_factory=list)

    async def ask(self) -> httpx.Response:
        body: dict[str, Any] = {"model": FIRST, "messages": [{"role": "user", "content": "hi"}], "stream": True}
        return await self.models.gateway.http.post(f"{self.models.url}/v1/chat/completions", json=body)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=MODES.values(), ids=MODES)
async def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    files = issue(tmp_path_factory.mktemp("tls"), "localhost")
    pieces: list[bytes] = []
    async with http2_upstream(lambda: pieces, files) as port:
        values = {"H2": port, "CA": files.ca, "MODE": request.param, "FIRST": FIRST_BYTE_SECONDS}
        config = reduce(lambda text, name: text.replace(name, str(values[name])), values, CONFIG)
        async with model_world(config, (SECOND,)) as models:
            yield World(models, pieces)


async def test_trailers_after_a_whole_stream_are_its_end(world: World) -> None:
    world.pieces[:] = [STREAM]
    answer = await world.ask()
    assert (answer.content, answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == (STREAM, FIRST, "1")


async def test_an_error_before_trailers_is_told_to_another_model_at_once(world: World) -> None:
    world.pieces[:] = [ROLE, BUSY]
    async with asyncio.timeout(FIRST_BYTE_SECONDS):
        answer = await world.ask()
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == (SECOND, "2")


@pytest.mark.parametrize("pieces", [[], [ROLE]], ids=["nothing", "a role"])
async def test_trailers_of_a_stream_that_says_nothing_count_as_silence(world: World, pieces: list[bytes]) -> None:
    # Envoy shows trailers only once all before them is answered, and what is answered can go to nobody else.
    world.pieces[:] = pieces
    started = time.monotonic()
    answer = await world.ask()
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == (SECOND, "2")
    assert time.monotonic() - started > FIRST_BYTE_SECONDS / 2
