"""Playbooks of prompts that are marked for their provider's cache: by decide, or by attempts that decide has told to."""

from typing import Any

import orjson
import pytest

from ext_proc.events import Continue, RequestBody
from protos import filter_config_pb2 as pb
from protos.contract.metadata import METADATA_CACHE_FROM
from tests.kit.attempts import CLAUDE, GPT, AttemptPlay, chain_config
from tests.kit.filter_configs import filter_config
from tests.kit.transactions import head, new_transaction

LONG = "Be brief. " * 20
MARK = {"cache_control": {"type": "ephemeral"}}
MESSAGES = {"model": "anthropic/claude", "system": LONG, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
CHAT = {
    "model": "openai/gpt-4o",
    "messages": [{"role": "system", "content": LONG}, {"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
}


def config(made: pb.FilterConfig, least_tokens: int = 20) -> pb.FilterConfig:
    made.cache_marks_from = least_tokens
    for model in made.models:
        if model.name == "anthropic/claude":
            model.targets.add(api="messages", path="/v1/messages")
        if model.name == "openai/gpt-4o" and not model.targets:
            model.targets.add(api="chat_completions", path="/v1/chat/completions")
    return made


async def decided(body: dict[str, Any], made: pb.FilterConfig, path: str = "/v1/messages", **headers: str) -> Continue:
    session = new_transaction("models", config=made)
    await session.handle(head(path, **headers))  # type: ignore[arg-type]  # no header is called `method`
    reply = await session.handle(RequestBody(orjson.dumps(body)))
    assert isinstance(reply, Continue)
    return reply


async def test_a_request_that_passes_without_attempts_is_marked_by_decide() -> None:
    reply = await decided(MESSAGES, config(filter_config()))
    assert orjson.loads(reply.body or b"") == MESSAGES | {
        "model": "claude",
        "system": [{"type": "text", "text": LONG} | MARK],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"} | MARK]}],
    }
    assert reply.set_headers["content-length"] == str(len(reply.body or b""))


@pytest.mark.parametrize(
    ("made", "headers"),
    [(filter_config(), {}), (config(filter_config(), 1000), {}), (config(filter_config()), {"x_plano_cache": "OFF"})],
    ids=["not configured", "short", "client minds"],
)
async def test_others_keep_every_byte_but_the_model(made: pb.FilterConfig, headers: dict[str, str]) -> None:
    reply = await decided(MESSAGES, made, **headers)
    assert reply.body == orjson.dumps(MESSAGES | {"model": "claude"})


async def test_a_provider_that_caches_by_itself_gets_no_marks() -> None:
    reply = await decided(CHAT, config(filter_config()), "/v1/chat/completions")
    assert reply.body == orjson.dumps(CHAT | {"model": "gpt-4o"})


@pytest.mark.parametrize("header", ["", "off"])
async def test_attempts_are_told_unless_the_client_minds(header: str) -> None:
    reply = await decided(CHAT, config(chain_config()), "/v1/chat/completions", x_plano_cache=header)
    assert reply.metadata.get(METADATA_CACHE_FROM) == (None if header else "20")
    assert reply.body is None


def test_each_attempt_marks_for_its_own_provider() -> None:
    told = {METADATA_CACHE_FROM: "20"}
    first, second = (AttemptPlay(model, metadata=told).request(CHAT) for model in (GPT, CLAUDE))
    assert isinstance(first, Continue)
    assert isinstance(second, Continue)
    assert first.body == orjson.dumps(CHAT | {"model": "gpt-4o"})
    translated = orjson.loads(second.body or b"")
    assert translated["system"] == [{"type": "text", "text": LONG} | MARK]
    assert translated["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hi"} | MARK]}]
    untold = AttemptPlay(CLAUDE).request(CHAT)
    assert isinstance(untold, Continue)
    assert b"cache_control" not in (untold.body or b"")
