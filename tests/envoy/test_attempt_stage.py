"""The attempt stage behind a real Envoy, from the configuration on: failover across APIs, official clients everywhere."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import httpx
import openai
import pytest
import pytest_asyncio

from control_plane.gateway import chains
from control_plane.gateway.models import ProviderEntry
from ext_proc.telemetry import names
from tests.kit.llm_provider import cutting, failing, streaming
from tests.kit.model_world import ModelWorld, model_world

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-attempt-stage")]

CHAT, CLAUDE, GPT = "deepseek/chat", "anthropic/claude-sonnet-4-0", "openai/gpt-5"
NOVA = "amazon_bedrock/us.amazon.nova-pro-v1:0"
SPEAKS = {CHAT: "chat_completions", CLAUDE: "messages", GPT: "responses", NOVA: "converse"}
PATHS = {CHAT: "/v1/chat/completions", CLAUDE: "/v1/messages", GPT: "/v1/responses"}
PATHS |= {NOVA: "/model/us.amazon.nova-pro-v1%3A0/converse"}
CONFIG = """
version: v0.4.0
model_providers:
  - model: deepseek/chat
    base_url: http://127.0.0.1:{deepseek}
    access_key: $CHAT_KEY
  - model: anthropic/claude-sonnet-4-0
    base_url: http://127.0.0.1:{anthropic}
    access_key: $CLAUDE_KEY
  - model: openai/gpt-5
    base_url: http://127.0.0.1:{openai}
    access_key: $GPT_KEY
  - model: amazon_bedrock/us.amazon.nova-pro-v1:0
    base_url: http://127.0.0.1:{amazon_bedrock}
    access_key: $AWS_KEY
  - model: deepseek/chained
    base_url: http://127.0.0.1:{deepseek}
    access_key: $CHAT_KEY
    fallbacks: [anthropic/claude-sonnet-4-0]
    resilience: {{timeouts: {{first_byte: 1s}}}}
overrides:
  # So many failures would have a model left alone.
  resilience: {{outlier_detection: {{consecutive_errors: 1000}}}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s, continues_streams: false}}
"""
CHAINED = "deepseek/chained"


async def ask(world: ModelWorld, path: str = "/v1/chat/completions", model: str = CHAINED, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    body = {"model": model, "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}], **more}
    return await world.gateway.http.post(world.url + path, json=body, headers=headers)


def only_the_strangest(client_api: str, entry: ProviderEntry) -> str | None:
    """Have each provider speak one API alone, so that every pair occurs."""
    spoken = entry.provider.apis
    if client_api not in SPEAKS.values():
        return client_api if client_api in spoken else None
    return next((api for api in ("messages", "responses", "converse", "chat_completions") if api in spoken), None)


@pytest.fixture(scope="module")
def _every_pair() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chains, "upstream_api", only_the_strangest)
        yield


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(_every_pair: None) -> AsyncIterator[ModelWorld]:
    keys = {"CHAT_KEY": "sk-chat", "CLAUDE_KEY": "sk-claude", "GPT_KEY": "sk-gpt", "AWS_KEY": "sk-aws"}
    async with model_world(CONFIG, SPEAKS, keys) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: ModelWorld) -> ModelWorld:
    return shared.reset()


CHAT_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
MESSAGE_TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {}}}
RESPONSE_TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}, "strict": False}
ASK: list[Any] = [{"role": "user", "content": "How is the weather?"}]


@pytest.mark.parametrize("model", SPEAKS)
async def test_the_openai_client_speaks_chat_with_every_provider(world: ModelWorld, model: str) -> None:
    said = await world.openai.chat.completions.create(model=model, messages=ASK)
    assert said.choices[0].message.content == "It rains."
    assert said.usage is not None
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (7, 3)
    tools: list[Any] = [CHAT_TOOL]
    called = await world.openai.chat.completions.create(model=model, messages=ASK, tools=tools)
    [call] = called.choices[0].message.tool_calls or []
    assert (call.type, call.function.name) == ("function", "get_weather")  # type: ignore[union-attr]  # of the type above
    assert [request.path for request in world.providers[model].received] == [PATHS[model]] * 2


@pytest.mark.parametrize("model", SPEAKS)
async def test_the_openai_client_streams_chat_from_every_provider(world: ModelWorld, model: str) -> None:
    stream = await world.openai.chat.completions.create(model=model, messages=ASK, stream=True)
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "It rains."
    tools: list[Any] = [CHAT_TOOL]
    async with world.openai.chat.completions.stream(model=model, messages=ASK, tools=tools) as events:
        final = await events.get_final_completion()
    [call] = final.choices[0].message.tool_calls or []
    assert call.function.name == "get_weather"
    assert final.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("model", SPEAKS)
async def test_the_openai_client_speaks_responses_with_every_provider(world: ModelWorld, model: str) -> None:
    said = await world.openai.responses.create(model=model, input="hi", store=False)
    assert said.output_text == "It rains."
    tools: list[Any] = [RESPONSE_TOOL]
    async with world.openai.responses.stream(model=model, input="hi", store=False, tools=tools) as events:
        final = await events.get_final_response()
    assert [(item.type, getattr(item, "name", "")) for item in final.output] == [("function_call", "get_weather")]


@pytest.mark.parametrize("model", SPEAKS)
async def test_the_anthropic_client_speaks_with_every_provider(world: ModelWorld, model: str) -> None:
    said = await world.anthropic.messages.create(model=model, max_tokens=50, messages=ASK)
    assert [block.text for block in said.content if block.type == "text"] == ["It rains."]
    assert (said.usage.input_tokens, said.usage.output_tokens) == (7, 3)
    tools: list[Any] = [MESSAGE_TOOL]
    async with world.anthropic.messages.stream(model=model, max_tokens=50, messages=ASK, tools=tools) as events:
        final = await events.get_final_message()
    [block] = final.content
    assert block.type == "tool_use"
    assert (block.name, block.input, final.stop_reason) == ("get_weather", {"city": "Paris", "days": [1, 2]}, "tool_use")
    key = world.providers[model].received[-1].headers
    assert key.get("x-api-key", key.get("authorization")) in ("sk-claude", "Bearer sk-chat", "Bearer sk-gpt", "Bearer sk-aws")


@pytest.mark.parametrize("model", [CHAT, GPT])
async def test_errors_of_another_api_raise_what_anthropics_users_expect(world: ModelWorld, model: str) -> None:
    world.providers[model].behaves = failing(404, {"error": {"message": "no such model", "code": "model_not_found"}})
    with pytest.raises(anthropic.NotFoundError, match="no such model"):
        await world.anthropic.messages.create(model=model, max_tokens=50, messages=ASK)


async def test_errors_of_another_api_raise_what_openais_users_expect(world: ModelWorld) -> None:
    error = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
    world.providers[CLAUDE].behaves = failing(429, error, retry_after="1")
    with pytest.raises(openai.RateLimitError, match="slow down") as raised:
        await world.openai.chat.completions.create(model=CLAUDE, messages=ASK, extra_headers={"x-envoy-max-retries": "0"})
    assert raised.value.response.headers["retry-after"] == "1"


def seen(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]


async def test_a_healthy_first_model_answers_alone(world: ModelWorld) -> None:
    assert seen(await ask(world)) == (200, CHAINED, "1")
    assert world.providers[CLAUDE].received == []


TOO_LONG = {"error": {"message": "This model's maximum context length is 8 tokens.", "code": "context_length_exceeded"}}
FAILURES: dict[str, Any] = {
    "server error": failing(503, {"error": {"message": "down"}}),
    "rate limit": failing(429, {"error": {"message": "slow"}}, retry_after="60"),
    "context too long": failing(400, TOO_LONG),
    "empty answer": failing(200, {}),
    "cut in the middle": cutting(b'{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"It ra'),
    "silent in the middle": cutting(b'{"id":"x","choices":[{"index":0', silent=True),
    "damaged": streaming(b'{"id":"x","choices":[{"index":0', content_type=b"application/json"),
    "error as a success": failing(200, {"error": {"message": "busy", "code": 503}}),
    "error first": streaming(b'data: {"error":{"message":"busy","code":503}}\n\n'),
    "empty stream": streaming(b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'),
    "silent stream": streaming(b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n', ends=False),
}


REASONS = {
    "server error": ("upstream_error", 2),
    "rate limit": ("rate_limited", 1),
    "context too long": ("context_length_exceeded", 1),
    "error first": ("upstream_error", 2),
    "empty stream": ("empty_answer", 2),
    "silent stream": ("unanswered", 1),
}
"""Why it fails, and how often it is asked."""


def completed(world: ModelWorld, model: str) -> float:
    return world.gateway.metric(names.ATTEMPTS, model=model, outcome="completed")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("failure", REASONS)
async def test_the_next_model_answers_in_its_own_api_from_the_clients_own_request(
    world: ModelWorld, failure: str, path: str
) -> None:
    world.providers[CHAT].behaves = FAILURES[failure]
    reason, times = REASONS[failure]
    before = world.gateway.metric(names.FAILOVERS, from_=CHAINED, to=CLAUDE, reason=reason)
    completions = completed(world, CHAINED), completed(world, CLAUDE)
    answer = await ask(world, path, stream=True)
    assert seen(answer) == (200, CLAUDE, str(times + 1))
    assert "rains." in answer.text
    assert len(world.providers[CHAT].received) == times
    first, [second] = world.providers[CHAT].received[-1], world.providers[CLAUDE].received
    assert (first.path, second.path) == (PATHS[CHAT], PATHS[CLAUDE])
    assert world.providers[CHAT].last_json["model"] == "chained"
    assert world.providers[CLAUDE].last_json["model"] == "claude-sonnet-4-0"
    assert (first.headers["authorization"], second.headers["x-api-key"]) == ("Bearer sk-chat", "sk-claude")
    assert "authorization" not in second.headers
    assert second.headers["anthropic-version"]
    assert not [header for header in answer.headers if header.startswith("x-plano-retry")]
    for sent in (first, second):
        assert not [header for header in sent.headers if header.startswith("x-plano")]
    await world.gateway.until(before + 1, names.FAILOVERS, from_=CHAINED, to=CLAUDE, reason=reason)
    await world.gateway.until(completions[1] + 1, names.ATTEMPTS, model=CLAUDE, outcome="completed")
    assert completed(world, CHAINED) == completions[0]


async def test_a_model_is_asked_once_what_is_too_long_for_it_however_often_the_others_fail(world: ModelWorld) -> None:
    world.providers[CHAT].behaves = FAILURES["context too long"]
    world.providers[CLAUDE].behaves = FAILURES["server error"]
    answer = await ask(world, headers={"x-envoy-max-retries": "3"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "down")
    assert [len(world.providers[model].received) for model in (CHAT, CLAUDE)] == [1, 3]


async def test_when_nobody_may_be_asked_again_that_is_said_at_once(world: ModelWorld) -> None:
    world.providers[CHAT].behaves = FAILURES["context too long"]
    world.providers[CLAUDE].behaves = FAILURES["silent stream"]
    answer = await ask(world, stream=True, headers={"x-envoy-max-retries": "5"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_model_left")
    assert [len(world.providers[model].received) for model in (CHAT, CLAUDE)] == [1, 1]


async def test_an_answer_that_is_none_fails_over_where_it_must_be_translated(world: ModelWorld) -> None:
    world.providers[CHAT].behaves = FAILURES["empty answer"]
    assert seen(await ask(world, "/v1/messages")) == (200, CLAUDE, "3")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("failure", ["cut in the middle", "silent in the middle", "damaged", "error as a success"])
async def test_an_answer_that_breaks_in_the_middle_is_asked_for_elsewhere(world: ModelWorld, failure: str, path: str) -> None:
    world.providers[CHAT].behaves = FAILURES[failure]
    answer = await ask(world, path)
    assert seen(answer) == (200, CLAUDE, "2" if failure == "silent in the middle" else "3")
    assert "It rains." in answer.text
    assert answer.headers["content-length"] == str(len(answer.content))


async def test_an_answer_that_breaks_everywhere_is_one_clear_error(world: ModelWorld) -> None:
    world.providers[CHAT].behaves = FAILURES["damaged"]
    world.providers[CLAUDE].behaves = FAILURES["cut in the middle"]
    answer = await ask(world)
    assert answer.status_code in (502, 503)
    assert answer.json()["error"]["message"]


async def test_when_no_attempt_is_left_the_providers_own_words_arrive(world: ModelWorld) -> None:
    world.providers[CHAT].behaves = FAILURES["context too long"]
    answer = await ask(world, headers={"x-envoy-max-retries": "0"})
    assert (seen(answer), answer.json()) == ((400, CHAINED, "1"), TOO_LONG)


async def test_when_all_fail_alike_the_first_error_arrives_in_the_clients_api(world: ModelWorld) -> None:
    for model in (CHAT, CLAUDE):
        world.providers[model].behaves = failing(503, {"type": "error", "error": {"type": "api_error", "message": model}})
    answer = await ask(world, headers={"x-envoy-max-retries": "1"})
    assert seen(answer) == (503, CHAINED, "2")
    assert answer.json()["error"]["message"] == CHAT


async def test_the_most_useful_error_arrives_in_the_clients_api(world: ModelWorld) -> None:
    world.providers[CHAT].behaves = FAILURES["context too long"]
    world.providers[CLAUDE].behaves = failing(503, {"type": "error", "error": {"type": "api_error", "message": "down"}})
    answer = await ask(world, headers={"x-envoy-max-retries": "1"})
    assert seen(answer) == (503, CLAUDE, "2")
    assert answer.json()["error"] == {"message": "down", "type": "server_error", "param": None, "code": None}


@pytest.mark.parametrize("status", [400, 500])
async def test_a_refusal_by_policy_is_final(world: ModelWorld, status: int) -> None:
    error = {"error": {"message": "Rejected by our safety system.", "code": "content_policy_violation"}}
    world.providers[CHAT].behaves = failing(status, error)
    answer = await ask(world)
    assert (seen(answer), answer.json()) == ((400, CHAINED, "1"), error)
    assert world.providers[CLAUDE].received == []


async def test_what_a_model_cannot_carry_is_refused_by_name(world: ModelWorld) -> None:
    body: Any = [{"role": "user", "content": [{"type": "container_upload", "file_id": "f"}]}]
    answer = await ask(world, "/v1/messages", model=CHAT, messages=body)
    assert answer.status_code == 400
    assert "messages[0].content[0]" in answer.json()["error"]["message"]
    assert world.providers[CHAT].received == []


async def test_large_requests_and_answers_are_whole(world: ModelWorld) -> None:
    text = "x" * (3 << 20)
    answer = await ask(world, "/v1/messages", model=CHAT, messages=[{"role": "user", "content": text}])
    assert answer.status_code == 200
    assert world.providers[CHAT].last_json["messages"][0]["content"] == text


async def test_many_large_requests_at_once(world: ModelWorld) -> None:
    # More than a megabyte waits for ext_proc at a time: Envoy must not come to its watermark there, where it crashes.
    question = {"role": "user", "content": "x" * 300_000}
    answers = await asyncio.gather(*(ask(world, messages=[question]) for _ in range(32)))
    assert {answer.status_code for answer in answers} == {200}
