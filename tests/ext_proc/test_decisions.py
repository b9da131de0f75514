"""What a session makes of bodies: agents and models chosen, filters run, bodies and paths changed, and refusals."""

from typing import Any

import orjson
import pytest

from ext_proc.decide.transaction import Transaction
from ext_proc.events import Continue, Reply, RequestBody, Respond
from tests.kit.playbook import play, refused
from tests.kit.transactions import StubEgress, head, new_transaction

LONDON = b'{"messages":[{"role":"user","content":"weather forecast for London?"}], "temperature": 1.0}'


def chat(model: object = "openai/gpt-4o") -> bytes:
    return b'{ "model" : ' + orjson.dumps(model) + b', "messages":[], "big":1.00, "z":{"model":"no"}}'


async def decide(session: Transaction, body: bytes, path: str = "/v1/chat/completions") -> Reply:
    await session.handle(head(path))
    return await session.handle(RequestBody(body))


async def test_the_built_in_router_chooses_among_agents() -> None:
    session = new_transaction("agents")
    reply = await decide(session, LONDON)
    assert isinstance(reply, Continue)
    assert reply.set_headers == {"x-plano-route": "agent/weather"}
    assert reply.body is None
    assert reply.clear_route_cache
    assert reply.metadata["decision"].startswith("built_in_router")
    assert (reply.metadata["agent"], reply.metadata["api"]) == ("weather", "chat_completions")
    assert (session.record.agent, session.record.rung) == ("weather", "built_in_router")
    assert session.record.decision_seconds is not None


async def test_one_agent_needs_no_decision() -> None:
    session = new_transaction("solo")
    reply = await decide(session, LONDON)
    assert isinstance(reply, Continue)
    assert reply.metadata["decision"] == "only_agent"


@pytest.mark.parametrize(
    ("path", "field"), [("/v1/chat/completions", "messages"), ("/v1/messages", "messages"), ("/v1/responses", "input")]
)
async def test_a_missing_conversation_is_named(path: str, field: str) -> None:
    await (play(new_transaction("agents")) >> head(path) << Continue() >> RequestBody(b"{}") << refused(400, field))


async def test_an_agents_filter_changes_what_the_agent_sees() -> None:
    changed = b'{"messages":[{"role":"user","content":"[redacted]"}]}'
    egress = StubEgress(answer=changed)
    reply = await decide(new_transaction("solo", egress=egress), LONDON)
    assert isinstance(reply, Continue)
    assert (reply.body, reply.set_headers["content-length"]) == (changed, str(len(changed)))
    [(route, path, _, body)] = egress.calls
    assert (route, path, body) == ("filter/guard", "/check/v1/chat/completions", LONDON)


async def test_a_filters_refusal_reaches_the_client_in_its_shape() -> None:
    egress = StubEgress(status=403, answer=b'{"detail":"no"}')
    reply = await decide(new_transaction("solo", egress=egress), LONDON, "/v1/messages")
    assert isinstance(reply, Respond)
    body = orjson.loads(reply.body)
    assert (reply.status, body["type"], body["error"]["type"]) == (403, "error", "permission_error")
    assert body["agent"] == "guard"


@pytest.mark.parametrize(("flags", "status"), [("UF", 503), ("UT", 504)])
async def test_a_filter_that_fails_is_not_the_clients_fault(flags: str, status: int) -> None:
    egress = StubEgress(status=status, answer=b"", local_reply=flags)
    await (
        play(new_transaction("guarded", egress=egress)) >> head() << Continue() >> RequestBody(chat()) << refused(status, "")
    )


@pytest.mark.parametrize(
    ("requested", "upstream", "route", "decision", "name"),
    [
        ("openai/gpt-4o", "gpt-4o", "model/openai/gpt-4o", "exact", "openai/gpt-4o"),
        ("gpt-4o-mini", "gpt-4o-mini", "model/openai/gpt-4o-mini", "bare_id", "openai/gpt-4o-mini"),
        ("fast", "gpt-4o-mini", "model/openai/gpt-4o-mini", "alias", "openai/gpt-4o-mini"),
        ("together/meta/llama-3", "meta/llama-3", "model/together/*", "wildcard", "together/meta/llama-3"),
        (None, "gpt-4o", "model/openai/gpt-4o", "default", "openai/gpt-4o"),
        ("", "gpt-4o", "model/openai/gpt-4o", "default", "openai/gpt-4o"),
    ],
)
async def test_resolves_a_model_and_changes_nothing_else(
    requested: object, upstream: str, route: str, decision: str, name: str
) -> None:
    body = chat(requested)
    reply = await decide(new_transaction("models"), body)
    assert isinstance(reply, Continue)
    assert reply.set_headers["x-plano-route"] == route
    entry = route.removeprefix("model/")
    told = {"api": "chat_completions", "expects": "json"}
    assert reply.metadata == {"route": route, "model": name, "entry": entry, "decision": decision, **told}
    if requested == upstream:
        assert reply.body is None
        assert "content-length" not in reply.set_headers
    else:
        expected = body.replace(orjson.dumps(requested), orjson.dumps(upstream), 1)
        assert (reply.body, reply.set_headers["content-length"]) == (expected, str(len(expected)))


async def test_a_missing_model_is_added() -> None:
    reply = await decide(new_transaction("models"), b'{"messages":[]}')
    assert isinstance(reply, Continue)
    assert reply.body == b'{"model":"gpt-4o","messages":[]}'


@pytest.mark.parametrize(
    ("requested", "status", "words"),
    [
        ("nope", 404, {"code": "model_not_found", "type": "invalid_request_error"}),
        ("together/", 404, {"code": "model_not_found"}),
        ("together/with space", 404, {"code": "model_not_found"}),
        ("together/*\n", 404, {"code": "model_not_found"}),
        ("together/orchestrator", 404, {"code": "model_not_found"}),
        ("orchestrator", 404, {"code": "model_not_found"}),
        (7, 400, {"param": "model"}),
        (["a"], 400, {"param": "model"}),
        ("anthropic/claude", 400, {"code": "unsupported_feature", "param": "model"}),
    ],
)
async def test_refuses_models_that_cannot_answer(requested: object, status: int, words: dict[str, str]) -> None:
    await (
        play(new_transaction("models")) >> head() << Continue() >> RequestBody(chat(requested)) << refused(status, "", **words)
    )


async def test_an_unknown_model_for_an_anthropic_client() -> None:
    body = RequestBody(chat("nope"))
    expected = refused(404, "The model `nope` does not exist.", type="not_found_error")
    await (play(new_transaction("models")) >> head("/v1/messages") << Continue() >> body << expected)


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        ("openai/gpt-4o", "/v1/chat/completions?beta=true", "/v1/chat/completions?beta=true"),
        ("together/a", "/v1/chat/completions", "/inference/v1/chat/completions"),
        ("azure/gpt", "/v1/chat/completions", "/openai/deployments/my%20deploy%2Fment/chat?api-version=1"),
        ("gpt-4o", "/v1/embeddings", "/v1/embeddings"),
    ],
)
async def test_sets_the_providers_path(model: str, asked: str, sent: str) -> None:
    reply = await decide(new_transaction("models"), chat(model), asked)
    assert isinstance(reply, Continue)
    assert reply.set_headers[":path"] == sent


async def test_refuses_a_query_beside_the_providers_own() -> None:
    reply = await decide(new_transaction("models"), chat("azure/gpt"), "/v1/chat/completions?x=1")
    refused(400, "takes no query parameters", param="query")(reply)


async def test_a_listeners_filter_cannot_change_the_model() -> None:
    egress = StubEgress(answer=b'{"model":"other","messages":["changed"]}')
    reply = await decide(new_transaction("guarded", egress=egress), chat("fast"))
    assert isinstance(reply, Continue)
    assert reply.body == b'{"model":"gpt-4o-mini","messages":["changed"]}'
    assert egress.calls[0][3] == chat("fast")


async def test_records_configured_names_only() -> None:
    session = new_transaction("models")
    await decide(session, chat("together/secret-name"))
    assert (session.record.model, session.record.reason) == ("together/*", "wildcard")
    refused_session = new_transaction("models")
    await decide(refused_session, chat("secret-name"))
    assert refused_session.record.model == ""


def counting(model: str, **more: Any) -> bytes:
    return orjson.dumps({"model": model, "messages": [{"role": "user", "content": "Will it rain?"}], **more})


async def test_tokens_are_estimated_for_models_whose_provider_counts_none() -> None:
    session = new_transaction("models")
    reply = await decide(session, counting("fast"), "/v1/messages/count_tokens?beta=true")
    assert isinstance(reply, Respond)
    assert (reply.status, orjson.loads(reply.body).keys()) == (200, {"input_tokens"})
    assert reply.headers["x-plano-token-count"] == "estimate"
    assert (session.record.model, session.record.status, session.record.error) == ("openai/gpt-4o-mini", 200, None)


@pytest.mark.parametrize(
    ("model", "status", "kind"), [("nobody", 404, "not_found_error"), ("fast", 400, "invalid_request_error")]
)
async def test_what_cannot_be_counted_is_told_in_anthropics_shape(model: str, status: int, kind: str) -> None:
    reply = await decide(new_transaction("models"), counting(model, tools=7), "/v1/messages/count_tokens")
    assert isinstance(reply, Respond)
    body = orjson.loads(reply.body)
    assert (reply.status, body["type"], body["error"]["type"]) == (status, "error", kind)
