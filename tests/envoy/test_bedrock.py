"""Amazon Bedrock behind a real Envoy: alone, and among models that speak other APIs; official clients everywhere."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import anthropic
import httpx
import openai
import orjson
import pytest
import pytest_asyncio

from tests.kit.event_stream import Json, encode_events, encode_one
from tests.kit.llm_provider import HELLO, cutting, failing, streaming
from tests.kit.llm_streams import converse_stream
from tests.kit.model_world import ModelWorld, model_world

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-bedrock")]

HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
BEDROCK, GPT, CLAUDE = f"amazon_bedrock/{HAIKU}", "openai/gpt-4o", "anthropic/claude-sonnet-4-5"
CONFIG = f"""
version: v0.4.0
model_providers:
  - model: {BEDROCK}
    base_url: http://127.0.0.1:{{amazon_bedrock}}
    access_key: $AWS_KEY
    fallbacks: [{GPT}, {CLAUDE}]
    resilience: {{{{timeouts: {{{{first_byte: 1s}}}}}}}}
  - {{{{model: amazon_bedrock/*, base_url: "http://127.0.0.1:{{amazon_bedrock}}", access_key: $AWS_KEY}}}}
  - model: {GPT}
    base_url: http://127.0.0.1:{{openai}}
    access_key: $GPT_KEY
    fallbacks: [{BEDROCK}]
  - {{{{model: {CLAUDE}, base_url: "http://127.0.0.1:{{anthropic}}", access_key: $CLAUDE_KEY}}}}
overrides:
  # So many failures would have a model left alone.
  resilience: {{{{outlier_detection: {{{{consecutive_errors: 1000}}}}}}}}
listeners:
  - {{{{type: model, name: models, address: 127.0.0.1, port: {{port}}, timeout: 10s}}}}
"""
ASK: list[Any] = [{"role": "user", "content": "How is the weather?"}]
EVENT_STREAM = b"application/vnd.amazon.eventstream"
BEGUN: list[Json] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "It "}}},
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ModelWorld]:
    keys = {"AWS_KEY": "sk-aws", "GPT_KEY": "sk-gpt", "CLAUDE_KEY": "sk-claude"}
    async with model_world(CONFIG, (BEDROCK, GPT, CLAUDE), keys) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: ModelWorld) -> ModelWorld:
    return shared.reset()


def seen(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]


async def ask(world: ModelWorld, path: str, model: str = BEDROCK, **more: Any) -> httpx.Response:
    said: Any = {"input": "hi"} if path == "/v1/responses" else {"messages": ASK, "max_tokens": 50}
    return await world.gateway.http.post(world.url + path, json={"model": model, **said, **more})


async def test_a_model_of_all_is_asked_by_its_own_name_with_the_gateways_key(world: ModelWorld) -> None:
    said = await world.anthropic.messages.create(model="amazon_bedrock/us.meta.llama4:0", max_tokens=50, messages=ASK)
    assert (said.model, [block.type for block in said.content]) == ("us.meta.llama4:0", ["text"])
    [request] = world.providers[BEDROCK].received
    assert request.path == "/model/us.meta.llama4%3A0/converse"
    assert request.headers["authorization"] == "Bearer sk-aws"
    assert "x-api-key" not in request.headers
    assert orjson.loads(request.body) == {
        "messages": [{"role": "user", "content": [{"text": "How is the weather?"}]}],
        "inferenceConfig": {"maxTokens": 50},
    }


async def test_an_arn_is_one_segment_of_the_path(world: ModelWorld) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    answer = await ask(world, "/v1/chat/completions", f"amazon_bedrock/{arn}", stream=True)
    assert "rains." in answer.text
    path = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc/converse-stream"
    assert [request.path for request in world.providers[BEDROCK].received] == [path]


async def test_thinking_reaches_the_anthropic_client_with_its_signature(world: ModelWorld) -> None:
    said = replace(HELLO, thoughts=["They ", "ask."], signature="c2ln")
    world.providers[BEDROCK].behaves = streaming(converse_stream(said), content_type=EVENT_STREAM)
    async with world.anthropic.messages.stream(model=BEDROCK, max_tokens=50, messages=ASK) as events:
        final = await events.get_final_message()
    thought, text = final.content
    assert thought.type == "thinking"
    assert (thought.thinking, thought.signature) == ("They ask.", "c2ln")
    assert text.type == "text"
    assert (text.text, final.stop_reason, final.usage.input_tokens) == ("It rains.", "end_turn", 7)


FAILURES: dict[str, Any] = {
    "too long": failing(400, {"message": "Input is too long for requested model."}, x_amzn_errortype="ValidationException"),
    "model failed": failing(424, {"message": "It failed."}, x_amzn_errortype="ModelErrorException"),
    "throttled": failing(429, {"message": "Too many requests."}, x_amzn_errortype="ThrottlingException"),
    "throttled first": streaming(
        encode_one({"exception": {"throttlingException": {"message": "Too many tokens."}}}), content_type=EVENT_STREAM
    ),
    "damaged first": streaming(b"x" * 40, content_type=EVENT_STREAM),
    "silent": streaming(encode_events(BEGUN[:1]), ends=False, content_type=EVENT_STREAM),
}

PASSING = {"model failed", "damaged first"}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_another_provider_answers_in_its_own_api(world: ModelWorld, failure: str, path: str) -> None:
    world.providers[BEDROCK].behaves = FAILURES[failure]
    world.providers[GPT].behaves = failing(503, {"error": {"message": "down"}})
    answer = await ask(world, path, stream=True)
    # What may pass is asked for twice, and so is GPT.
    assert seen(answer) == (200, CLAUDE, "5" if failure in PASSING else "4")
    assert "rains." in answer.text
    assert world.providers[GPT].last_json["model"] == "gpt-4o"


async def test_betas_reach_bedrock_in_the_body_and_the_next_provider_in_the_header(world: ModelWorld) -> None:
    betas = "claude-code-20250219,interleaved-thinking-2025-05-14"
    for model in (BEDROCK, GPT):
        world.providers[model].behaves = failing(503, {"message": "down"})
    body = {"model": BEDROCK, "messages": ASK, "max_tokens": 50}
    answer = await world.gateway.http.post(f"{world.url}/v1/messages", json=body, headers={"anthropic-beta": betas})
    assert seen(answer) == (200, CLAUDE, "5")
    asked = world.providers[BEDROCK]
    assert asked.last_json["additionalModelRequestFields"] == {"anthropic_beta": ["interleaved-thinking-2025-05-14"]}
    assert "anthropic-beta" not in asked.received[-1].headers
    assert world.providers[CLAUDE].received[-1].headers["anthropic-beta"] == betas


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_bedrock_answers_for_another_provider(world: ModelWorld, path: str) -> None:
    world.providers[GPT].behaves = failing(503, {"error": {"message": "down"}})
    answer = await ask(world, path, GPT)
    assert seen(answer) == (200, BEDROCK, "3")
    assert "It rains." in answer.text


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("ending", [b"", encode_one({"exception": {"modelStreamErrorException": {"message": "It failed."}}})])
async def test_a_stream_that_breaks_goes_on_by_another_provider(world: ModelWorld, path: str, ending: bytes) -> None:
    world.providers[BEDROCK].behaves = cutting(encode_events(BEGUN) + ending, content_type=EVENT_STREAM)
    answer = await ask(world, path, stream=True)
    assert answer.status_code == 200
    assert "rains." in answer.text
    assert "error" not in answer.text.replace('"error":null', "")


async def test_errors_raise_what_the_clients_users_expect(world: ModelWorld) -> None:
    alone = "amazon_bedrock/us.meta.llama4:0"
    world.providers[BEDROCK].behaves = failing(403, {"Message": "Bad key."}, x_amzn_errortype="AccessDeniedException")
    with pytest.raises(anthropic.PermissionDeniedError, match="Bad key"):
        await world.anthropic.messages.create(model=alone, max_tokens=50, messages=ASK)
    with pytest.raises(openai.PermissionDeniedError, match="Bad key") as raised:
        await world.openai.responses.create(model=alone, input="hi")
    assert raised.value.code == "AccessDeniedException"
    exception = {"exception": {"throttlingException": {"message": "Too many tokens."}}}
    world.providers[BEDROCK].behaves = streaming(encode_events([*BEGUN, exception]), content_type=EVENT_STREAM)
    with pytest.raises(anthropic.APIStatusError, match="Too many tokens"):
        async with world.anthropic.messages.stream(model=alone, max_tokens=50, messages=ASK) as events:
            await events.get_final_message()
    with pytest.raises(openai.APIError, match="Too many tokens"):
        async for _ in await world.openai.chat.completions.create(model=alone, messages=ASK, stream=True):
            pass


async def test_what_converse_cannot_carry_is_refused_by_name(world: ModelWorld) -> None:
    image: Any = [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    with pytest.raises(openai.BadRequestError) as raised:
        await world.openai.chat.completions.create(model=BEDROCK, messages=[{"role": "user", "content": image}])
    assert raised.value.param == "messages[0].content[0].image_url"
    assert world.providers[BEDROCK].received == []
