"""Who sees which credentials: each provider its own, where it looks for them, and nobody those of a client or of another."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from protos.contract.headers import CREDENTIAL_HEADERS
from tests.kit.folding import fold
from tests.kit.llm_provider import HELLO, Provider, api_of, cutting, failing
from tests.kit.llm_streams import STREAMS, chat_stream
from tests.kit.model_world import ModelWorld, model_world
from tests.kit.stub_upstream import Answer, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-credentials")]

FIRST, ACME, CLAUDISH = "deepseek/first", "acme/own/model-1", "claudish/own-claude"
AZURE, NOVA = "azure_openai/gpt", "amazon_bedrock/us.amazon.nova-pro-v1:0"
CLIENTS, ROUTER = "vercel/clients", "openrouter/clients"
CHAIN = (FIRST, ACME, CLAUDISH, AZURE, NOVA)
KEYS = {
    "FIRST_KEY": "sk-of-first",
    "ACME_KEY": "sk-of-acme",
    "ACME_TEAM": "team-of-acme",
    "CLAUDISH_KEY": "sk-of-claudish",
    "AZURE_KEY": "sk-of-azure",
    "AWS_KEY": "sk-of-aws",
}
SENT = {
    FIRST: {"authorization": "Bearer sk-of-first"},
    ACME: {"authorization": "Bearer sk-of-acme", "x-team": "team-of-acme", "x-region": "eu"},
    CLAUDISH: {"x-api-key": "sk-of-claudish"},
    AZURE: {"api-key": "sk-of-azure"},
    NOVA: {"authorization": "Bearer sk-of-aws"},
}
"""Model -> all that its provider is sent of credentials and configured headers."""
TOO_LONG = failing(400, {"error": {"message": "Too long.", "code": "context_length_exceeded"}})
"""Asked of the next model at once."""
CLIENTS_OWN = {header: f"own-{number}-of-client" for number, header in enumerate(CREDENTIAL_HEADERS)}
CONFIG = """
version: v0.4.0
model_providers:
  - model: deepseek/first
    base_url: http://127.0.0.1:{deepseek}
    access_key: $FIRST_KEY
    fallbacks: [acme/own/model-1, claudish/own-claude, azure_openai/gpt, "amazon_bedrock/us.amazon.nova-pro-v1:0"]
  - model: acme/own/model-1
    provider_interface: openai
    base_url: http://127.0.0.1:{acme}/team/v2
    http_host: models.acme.example
    access_key: $ACME_KEY
    headers: {{x-team: $ACME_TEAM, X-Region: eu}}
  - model: claudish/own-claude
    provider_interface: anthropic
    base_url: http://127.0.0.1:{claudish}/proxy
    access_key: $CLAUDISH_KEY
  - {{model: azure_openai/gpt, base_url: "http://127.0.0.1:{azure_openai}", access_key: $AZURE_KEY}}
  - model: amazon_bedrock/us.amazon.nova-pro-v1:0
    base_url: http://127.0.0.1:{amazon_bedrock}
    access_key: $AWS_KEY
  - {{model: vercel/clients, base_url: "http://127.0.0.1:{vercel}", passthrough_auth: true}}
  - model: vercel/first
    base_url: http://127.0.0.1:{vercel}
    passthrough_auth: true
    fallbacks: [vercel/clients]
  - {{model: openrouter/clients, base_url: "http://127.0.0.1:{openrouter}/api/v1", passthrough_auth: true}}
overrides:
  # So many failures would have a model left alone.
  resilience: {{outlier_detection: {{consecutive_errors: 1000}}}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ModelWorld]:
    async with model_world(CONFIG, (*CHAIN, CLIENTS, ROUTER), KEYS) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: ModelWorld) -> ModelWorld:
    return shared.reset()


async def ask(world: ModelWorld, model: str, path: str = "/v1/chat/completions", **more: Any) -> httpx.Response:
    headers = more.pop("headers", CLIENTS_OWN)
    said: Any = (
        {"input": "hi"} if path == "/v1/responses" else {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}
    )
    return await world.gateway.http.post(world.url + path, json={"model": model, **said, **more}, headers=headers)


def only(provider: Provider) -> Received:
    [request] = provider.received
    return request


def credentials_in(request: Received) -> dict[str, str]:
    """Return what a provider is sent under the names of credentials and configured headers, or with anybody's secret in it."""
    named = {*CREDENTIAL_HEADERS, "x-team", "x-region"}
    secrets = (*KEYS.values(), *CLIENTS_OWN.values())
    return {
        name: value for name, value in request.headers.items() if name in named or any(secret in value for secret in secrets)
    }


@pytest.mark.parametrize(
    ("model", "path", "seen"),
    [
        (ACME, "/v1/chat/completions", "/team/v2/chat/completions"),
        (ACME, "/v1/responses", "/team/v2/responses"),
        (ACME, "/v1/messages", "/team/v2/chat/completions"),
        (CLAUDISH, "/v1/messages", "/proxy/messages"),
        (CLAUDISH, "/v1/responses", "/proxy/messages"),
    ],
)
async def test_a_provider_of_ones_own(world: ModelWorld, model: str, path: str, seen: str) -> None:
    answer = await ask(world, model, path)
    assert (answer.status_code, answer.headers["x-plano-model"]) == (200, model)
    request = only(world.providers[model])
    assert request.path == seen
    assert request.headers["host"] == ("models.acme.example" if model == ACME else f"127.0.0.1:{world.ports[model]}")
    assert world.providers[model].last_json["model"] == model.partition("/")[2]
    assert credentials_in(request) == SENT[model]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_each_of_a_chain_is_sent_its_own_credentials_alone(world: ModelWorld, path: str) -> None:
    for model in CHAIN[:-1]:
        world.providers[model].behaves = TOO_LONG
    answer = await ask(world, FIRST, path)
    assert (answer.status_code, answer.headers["x-plano-model"]) == (200, NOVA)
    assert {model: credentials_in(only(world.providers[model])) for model in CHAIN} == SENT
    assert not any(secret in answer.text + str(answer.headers) for secret in KEYS.values())


async def test_who_takes_up_a_stream_is_sent_its_own_credentials_alone(world: ModelWorld) -> None:
    half = chat_stream(HELLO)[:400]
    world.providers[FIRST].behaves = cutting(half, content_type=b"text/event-stream")
    answer = await ask(world, FIRST, stream=True)
    assert answer.text.endswith("data: [DONE]\n\n")
    asked = [model for model in CHAIN if world.providers[model].received]
    assert len(asked) == 2
    for model in asked:
        assert credentials_in(only(world.providers[model])) == SENT[model]


@pytest.mark.parametrize(
    ("model", "path", "seen_path"),
    [
        (ROUTER, "/v1/chat/completions", "/api/v1/chat/completions"),
        (ROUTER, "/v1/messages", "/api/v1/messages"),
        (ROUTER, "/v1/responses", "/api/v1/chat/completions"),
        (CLIENTS, "/v1/chat/completions", "/v1/chat/completions"),
    ],
)
@pytest.mark.parametrize("sent", [{"x-api-key": "sk-mine"}, {"authorization": "Bearer sk-mine"}])
async def test_a_clients_own_key_is_found_wherever_it_is_sent(
    world: ModelWorld, model: str, path: str, seen_path: str, sent: dict[str, str]
) -> None:
    answer = await ask(world, model, path, headers=sent)
    assert answer.status_code == 200
    request = only(world.providers[model])
    assert (request.path, request.headers["authorization"]) == (seen_path, "Bearer sk-mine")
    assert not any(secret in str(request.headers) for secret in KEYS.values())


@pytest.mark.parametrize(
    "sent", [{"x-api-key": "sk-mine"}, {"authorization": "Bearer of-a-subscription"}, {}], ids=["key", "token", "nothing"]
)
async def test_what_a_messages_client_sends_goes_to_messages_as_it_came(world: ModelWorld, sent: dict[str, str]) -> None:
    await ask(world, CLIENTS, "/v1/messages", headers=sent)
    request = only(world.providers[CLIENTS])
    assert {name: request.headers[name] for name in CREDENTIAL_HEADERS if name in request.headers} == sent


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_a_clients_own_key_goes_along_to_the_same_providers_other_model(world: ModelWorld, path: str) -> None:
    provider = world.providers[CLIENTS]

    async def behave(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        if orjson.loads(request.body)["model"] == "first":
            return await TOO_LONG(request, writer)
        return Answer(body=orjson.dumps(fold(api_of(request), STREAMS[api_of(request)](HELLO))))

    provider.behaves = behave
    answer = await ask(world, "vercel/first", path, headers={"authorization": "Bearer sk-mine"})
    assert (answer.status_code, answer.headers["x-plano-model"]) == (200, CLIENTS)
    assert [request.headers["authorization"] for request in provider.received] == ["Bearer sk-mine"] * 2
    assert not any(secret in str(request.headers) for request in provider.received for secret in KEYS.values())


async def test_a_client_without_a_key_sends_none(world: ModelWorld) -> None:
    await ask(world, ROUTER, headers={})
    assert not only(world.providers[ROUTER]).headers.keys() & set(CREDENTIAL_HEADERS)
