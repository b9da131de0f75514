"""Chains of models in a real Envoy: the same model again, the next one, or nobody, by what an attempt has failed for."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from ext_proc.telemetry import names
from tests.kit.llm_provider import failing
from tests.kit.model_world import ModelWorld, model_world
from tests.kit.stub_upstream import Answer, Behave, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-turns")]

A, B, C = "deepseek/a", "mistral/b", "anthropic/c"
REFUSED = "groq/refused"
KEYS = {A: ("authorization", "Bearer sk-a"), B: ("authorization", "Bearer sk-b"), C: ("x-api-key", "sk-c")}
CONFIG = """
version: v0.4.0
model_providers:
  - {{model: deepseek/a, base_url: "http://127.0.0.1:{deepseek}", access_key: sk-a, fallbacks: [mistral/b, anthropic/c]}}
  - {{model: mistral/b, base_url: "http://127.0.0.1:{mistral}", access_key: sk-b}}
  - {{model: anthropic/c, base_url: "http://127.0.0.1:{anthropic}", access_key: sk-c, http_host: c.example}}
  - {{model: groq/refused, base_url: "http://127.0.0.1:9", access_key: sk-d, fallbacks: [mistral/b]}}
overrides:
  resilience:
    outlier_detection: {{consecutive_errors: ERRORS, ejection_time: 60s}}
    retries: {{backoff: {{base: 10ms, max: 100ms}}}}
    timeouts: {{first_byte: 500ms}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s}}
"""
DOWN = failing(503, {"error": {"message": "down"}})


async def reset(_request: Received, writer: asyncio.StreamWriter) -> None:
    """Break the connection before anything was said."""
    writer.transport.abort()


async def silent(_request: Received, _writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await asyncio.Event().wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ModelWorld]:
    async with model_world(CONFIG.replace("ERRORS", "1000"), KEYS) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: ModelWorld) -> ModelWorld:
    return shared.reset()


@pytest_asyncio.fixture(loop_scope="module")
async def strict() -> AsyncIterator[ModelWorld]:
    """A gateway that leaves models alone after three failures in a row."""
    async with model_world(CONFIG.replace("ERRORS", "3"), KEYS) as made:
        yield made


async def ask(world: ModelWorld, *, model: str = A, stream: bool = False, **headers: str) -> httpx.Response:
    body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    sent = {"authorization": "Bearer the-clients-own"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.gateway.http.post(f"{world.url}/v1/chat/completions", json=body, headers=sent)


def seen(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]


def asked(world: ModelWorld) -> str:
    """Return who was asked how often: `aab`."""
    return "".join(model[-1] * len(provider.received) for model, provider in world.providers.items())


def once(world: ModelWorld, model: str, behave: Behave) -> Callable[[Received, asyncio.StreamWriter], Awaitable[Answer | None]]:
    async def first(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        world.providers[model].behaves = None
        return await behave(request, writer)

    return first


async def test_the_clients_query_goes_to_providers_of_its_own_api_once(world: ModelWorld) -> None:
    body = {"model": A, "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
    for path in ("/v1/chat/completions", "/v1/messages"):
        await world.gateway.http.post(f"{world.url}{path}?beta=true", json=body)
    own, translated = (request.path.partition("?")[2] for request in world.providers[A].received)
    assert (own, translated) == ("beta=true", "")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("behave", [DOWN, failing(500, {}), reset])
async def test_what_passes_is_asked_of_the_same_model_again(world: ModelWorld, behave: Any, *, stream: bool) -> None:
    world.providers[A].behaves = once(world, A, behave)
    answer = await ask(world, stream=stream)
    assert (seen(answer), asked(world)) == ((200, A, "2"), "aa")
    assert "rains." in answer.text


@pytest.mark.parametrize("behave", [DOWN, reset])
async def test_what_stays_is_asked_of_the_next_one(world: ModelWorld, behave: Any) -> None:
    world.providers[A].behaves = behave
    assert (seen(await ask(world)), asked(world)) == ((200, B, "3"), "aab")


async def test_a_model_that_nobody_listens_for_is_asked_again_and_then_the_next_one(strict: ModelWorld) -> None:
    failovers = strict.gateway.metric(names.FAILOVERS, from_=REFUSED, to=B, reason="unanswered")
    answer = await ask(strict, model=REFUSED)
    assert (seen(answer), asked(strict)) == ((200, B, "3"), "b")
    await strict.gateway.until(failovers + 1, names.FAILOVERS, from_=REFUSED, to=B, reason="unanswered")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_silent_model_is_waited_for_once(world: ModelWorld, *, stream: bool) -> None:
    world.providers[A].behaves = world.providers[B].behaves = silent
    answer = await ask(world, stream=stream)
    assert (seen(answer), asked(world)) == ((200, C, "3"), "abc")
    assert "rains." in answer.text


async def test_when_all_are_silent_nobody_is_waited_for_twice(world: ModelWorld) -> None:
    for provider in world.providers.values():
        provider.behaves = silent
    answer = await ask(world, x_envoy_max_retries="9")
    assert (answer.status_code, answer.json()["error"]["code"], asked(world)) == (504, "upstream_timeout", "abc")


@pytest.mark.parametrize("behave", [failing(429, {}), failing(503, {}, retry_after="60")])
async def test_who_asks_for_patience_is_not_asked_again(world: ModelWorld, behave: Any) -> None:
    world.providers[A].behaves = behave
    assert (seen(await ask(world)), asked(world)) == ((200, B, "2"), "ab")


async def test_a_caller_who_allows_few_retries_gets_the_next_model(world: ModelWorld) -> None:
    world.providers[A].behaves = DOWN
    assert (seen(await ask(world, x_envoy_max_retries="2")), asked(world)) == ((200, B, "2"), "ab")
    assert seen(await ask(world, x_envoy_max_retries="0")) == (503, A, "1")


async def test_each_attempt_has_the_key_and_the_host_of_its_model_and_nothing_of_ours(world: ModelWorld) -> None:
    world.providers[A].behaves = world.providers[B].behaves = DOWN
    assert seen(await ask(world)) == (200, C, "5")
    for model, (header, key) in KEYS.items():
        for request in world.providers[model].received:
            credentials = {name: value for name, value in request.headers.items() if name in ("authorization", "x-api-key")}
            assert credentials == {header: key}
            assert not [name for name in request.headers if name.startswith(("x-plano", "x-forwarded-for"))]
    assert world.providers[C].received[0].headers["host"] == "c.example"


async def until_left_alone(world: ModelWorld, *models: str) -> None:
    ejected = set[str]()
    while not ejected.issuperset(models):
        await ask(world)
        answer = await world.gateway.envoy.admin.get("/stats", params={"filter": "^cluster.target/.*ejections_active$"})
        ejected = {
            model
            for line in answer.text.splitlines()
            for model in models
            if re.search(rf"/{model}[\[(]", line) and line.endswith(" 1")
        }


async def test_who_is_known_to_be_down_is_left_alone_wherever_it_stands(strict: ModelWorld) -> None:
    strict.providers[A].behaves = reset
    strict.providers[B].behaves = silent
    await until_left_alone(strict, A, B)
    for model in (A, B):
        strict.providers[model].received.clear()
        strict.providers[model].behaves = silent
    assert (await ask(strict)).headers["x-plano-model"] == C
    # For a second ext_proc remembers what Envoy has said of them.
    assert (seen(await ask(strict)), asked(strict).strip("c")) == ((200, C, "1"), "")


async def test_when_all_are_left_alone_a_real_try_is_made(strict: ModelWorld) -> None:
    for provider in strict.providers.values():
        provider.behaves = DOWN
    await until_left_alone(strict, *KEYS)
    strict.reset()
    assert (await ask(strict)).status_code == 200
