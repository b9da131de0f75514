"""The official `anthropic` package as a client of both kinds of listeners."""

import json
from typing import Any

import anthropic
import pytest
from anthropic.types import MessageParam, ToolParam

from protos.contract.headers import ESTIMATE_HEADER, MODEL_HEADER
from tests.clients.conftest import SECRETS, Clients
from tests.clients.speaking import TEXT

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("clients")]

LISTENERS = ("models", "travel")
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def saying(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("listener", LISTENERS)
async def test_messages(clients: Clients, listener: str) -> None:
    async with clients.anthropic(listener) as client:
        answer = await client.messages.create(model="claude", max_tokens=9, messages=saying("Will it rain?"))
    assert [block.text for block in answer.content if block.type == "text"] == [TEXT]
    assert (answer.stop_reason, answer.usage.output_tokens) == ("end_turn", 4)


@pytest.mark.parametrize("listener", LISTENERS)
async def test_messages_streamed(clients: Clients, listener: str) -> None:
    async with (
        clients.anthropic(listener) as client,
        client.messages.stream(model="claude", max_tokens=9, messages=saying("Will it rain?")) as stream,
    ):
        text = "".join([word async for word in stream.text_stream])
        final = await stream.get_final_message()
    assert (text, final.stop_reason, final.usage.output_tokens) == (TEXT, "end_turn", 4)


async def test_the_gateways_key_not_the_clients(clients: Clients) -> None:
    async with clients.anthropic("models") as client:
        await client.messages.create(model="anthropic/claude", max_tokens=9, messages=saying("hi"))
    assert clients.provider.last.headers["x-api-key"] == SECRETS["ANTHROPIC_KEY"]
    assert clients.provider.last_json["model"] == "claude"


async def test_an_unknown_model(clients: Clients) -> None:
    async with clients.anthropic("models") as client:
        with pytest.raises(anthropic.NotFoundError) as raised:
            await client.messages.create(model="nobody-knows", max_tokens=9, messages=saying("hi"))
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["error"]["type"] == "not_found_error"
    assert "nobody-knows" in raised.value.body["error"]["message"]


async def test_a_bad_request(clients: Clients) -> None:
    async with clients.anthropic("travel") as client:
        with pytest.raises(anthropic.BadRequestError) as raised:
            await client.messages.create(model="claude", max_tokens=9, messages=[])
    assert "messages" in str(raised.value.body)


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (403, anthropic.PermissionDeniedError),
        (429, anthropic.RateLimitError),
        (529, anthropic.InternalServerError),
    ],
)
async def test_errors_of_whoever_answers_keep_their_status_and_message(
    clients: Clients, listener: str, status: int, error: type[anthropic.APIStatusError]
) -> None:
    async with clients.anthropic(listener) as client:
        with pytest.raises(error) as raised:
            await client.messages.create(model="claude", max_tokens=9, messages=saying(f"fail {status}"))
    assert raised.value.status_code == status
    # The agent speaks Chat Completions: its error is written as one of Messages, whose types are fixed.
    kind = ERROR_TYPES[status] if listener == "travel" else "x_error"
    assert raised.value.body == {"type": "error", "error": {"type": kind, "message": "mine"}}


async def test_tokens_are_counted_by_a_provider_that_can(clients: Clients) -> None:
    async with clients.anthropic("models") as client:
        raw = await client.messages.with_raw_response.count_tokens(model="claude", messages=saying("Will it rain?"))
        beta = {"beta": "true"}  # As Claude Code asks.
        await client.messages.count_tokens(model="anthropic/claude", messages=saying("Will it rain?"), extra_query=beta)
    counted, again = clients.provider.received[-2:]
    assert (await raw.parse()).input_tokens == 42
    assert ESTIMATE_HEADER not in raw.headers
    assert (counted.path, again.path) == ("/v1/messages/count_tokens", "/v1/messages/count_tokens?beta=true")
    assert counted.headers["x-api-key"] == SECRETS["ANTHROPIC_KEY"]
    assert counted.headers["anthropic-version"]
    assert json.loads(again.body)["model"] == "claude"


async def test_tokens_are_estimated_where_nobody_counts_them(clients: Clients) -> None:
    tool = ToolParam(name="weather", description="Tells the weather.", input_schema={"type": "object", "properties": {}})
    async with clients.anthropic("models") as client:
        raw = await client.messages.with_raw_response.count_tokens(model="fast", messages=saying("Will it rain?" * 100))
        with_tool = await client.messages.count_tokens(model="fast", messages=saying("Will it rain?" * 100), tools=[tool])
    alone = await raw.parse()
    assert 300 < alone.input_tokens < 500
    assert with_tool.input_tokens > alone.input_tokens
    assert (raw.headers[ESTIMATE_HEADER], raw.headers[MODEL_HEADER]) == ("estimate", "openai/gpt-4o")
    assert not clients.provider.received


async def test_what_cannot_be_counted_is_refused_in_the_clients_shape(clients: Clients) -> None:
    wrong_content: Any = [{"role": "user", "content": 7}]
    async with clients.anthropic("models") as client:
        with pytest.raises(anthropic.BadRequestError) as wrong:
            await client.messages.count_tokens(model="fast", messages=wrong_content)
        with pytest.raises(anthropic.NotFoundError) as unknown:
            await client.messages.count_tokens(model="nobody-knows", messages=saying("hi"))
    for raised, kind in ((wrong, "invalid_request_error"), (unknown, "not_found_error")):
        assert isinstance(raised.value.body, dict)
        assert raised.value.body["error"]["type"] == kind
    assert "messages[0].content" in str(wrong.value.body)
