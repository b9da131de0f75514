"""Playbooks of model choice by preference: who decides, what goes upstream, and what happens when nobody can tell."""

from typing import Any

import orjson
import pytest

from ext_proc.decide.request import Services
from ext_proc.decide.transaction import Transaction
from ext_proc.events import Continue, Reply, RequestBody, Respond
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.plan.plan import compile_plan
from ext_proc.routing.models.measures import Known, Measures, Price
from protos import filter_config_pb2 as pb
from tests.kit.filter_configs import filter_config
from tests.kit.transactions import StubEgress, head

GPT, MINI, AZURE = "openai/gpt-4o", "openai/gpt-4o-mini", "azure/gpt"
CODE = [{"role": "user", "content": "Please write new code for a parser."}]
POEM = [{"role": "user", "content": "Tell me about cats."}]
INLINE = [{"name": "poems", "description": "Cats and poems", "models": ["together/any/poet", "gpt-4o"]}]


def config(*, asks: bool = False, default: bool = True, prefer: str = "") -> pb.FilterConfig:
    made = filter_config()
    made.models[0].default = default
    code = made.preferences.add(
        name="code generation", description="Writing new code", models=[AZURE, MINI, GPT], prefer=prefer
    )
    route = pb.ModelRoute(api="chat_completions", route="chain/code(mini,gpt)", by_attempt=True)
    code.starts.add(model=MINI, routes=[route])
    code.starts.add(model=GPT, routes=[pb.ModelRoute(api="chat_completions", route="chain/code(gpt)", path="/v1/x")])
    for name in (MINI, GPT):
        next(model for model in made.models if model.name == name).targets.add(api="chat_completions", path="/v1/x")
        route.members.add(model=name, api="chat_completions")
    code.starts[0].routes[0].CopyFrom(route)
    made.preferences.add(name="claude", description="Theology", models=["anthropic/claude"])
    if asks:
        made.routing_model.CopyFrom(pb.Orchestrator(model=MINI, timeout_seconds=1, context_length=4096))
    return made


class StreamRequest:
    """One request, decided."""

    def __init__(self, body: dict[str, Any] | bytes, path: str = "/v1/chat/completions") -> None:
        self.body = body if isinstance(body, bytes) else orjson.dumps(body)
        self.path = path

    async def under(self, made: pb.FilterConfig, egress: StubEgress | None = None, measures: Measures | None = None) -> Reply:
        services = Services(compile_plan(made), egress or StubEgress(), McpSessions(), measures or Measures())
        self.session = Transaction("models", services)
        await self.session.handle(head(self.path))
        return await self.session.handle(RequestBody(self.body))


def says(content: str) -> StubEgress:
    return StubEgress(answer=orjson.dumps({"choices": [{"message": {"content": content}}]}))


async def forwarded(asked: StreamRequest, *arguments: Any) -> Continue:
    reply = await asked.under(*arguments)
    assert isinstance(reply, Continue), reply
    return reply


async def test_the_built_in_router_is_the_first_rung_without_a_routing_model() -> None:
    asked = StreamRequest({"model": GPT, "messages": CODE})
    reply = await forwarded(asked, config())
    assert reply.metadata["model"] == AZURE
    assert reply.metadata["decision"].startswith('built_in_router; route "code generation"; matched ')
    assert reply.set_headers["x-plano-route"] == "model/azure/gpt"
    record = asked.session.record
    assert (record.model, record.route, record.rung) == (AZURE, "code generation", "built_in_router")
    assert record.decision_seconds is not None


async def test_the_routing_model_decides_against_the_words() -> None:
    egress = says('{"route": ["code generation"]}')
    reply = await forwarded(StreamRequest({"model": GPT, "messages": POEM}), config(asks=True), egress)
    assert reply.metadata["decision"] == 'orchestrator; route "code generation"; the only one named'
    [(route, path, headers, body)] = egress.calls
    assert (route, path, headers["x-request-id"]) == ("model/openai/gpt-4o-mini", "/v1/chat/completions", "r-1")
    assert orjson.loads(body)["model"] == "gpt-4o-mini"
    assert b"code generation" in body
    assert b"Theology" in body


@pytest.mark.parametrize("egress", [StubEgress(status=500, answer=b""), StubEgress(answer=b"", local_reply="UF"), says("??")])
async def test_a_routing_model_that_is_down_never_fails_a_request(egress: StubEgress) -> None:
    reply = await forwarded(StreamRequest({"model": GPT, "messages": CODE}), config(asks=True), egress)
    assert reply.metadata["decision"].startswith('built_in_router; route "code generation"; orchestrator')
    assert reply.metadata["model"] == AZURE


@pytest.mark.parametrize(
    ("model", "decision"), [(MINI, "requested_model; nothing matched"), (None, "default_model; nothing matched")]
)
async def test_the_requested_model_answers_when_nothing_matches(model: str | None, decision: str) -> None:
    asked = StreamRequest({"messages": POEM} | ({"model": model} if model else {}))
    reply = await forwarded(asked, config())
    assert (reply.metadata["model"], reply.metadata["decision"]) == (model or GPT, decision)
    assert (asked.session.record.route, asked.session.record.rung) == ("(none)", decision.partition(";")[0])


async def test_without_default_a_request_may_name_no_model_if_a_preference_fits() -> None:
    assert (await forwarded(StreamRequest({"messages": CODE}), config(default=False))).metadata["model"] == AZURE
    reply = await StreamRequest({"messages": POEM}).under(config(default=False))
    assert isinstance(reply, Respond)
    assert (reply.status, orjson.loads(reply.body)["error"]["param"]) == (400, "model")


async def test_an_unknown_model_is_refused_whatever_preferences_say() -> None:
    reply = await StreamRequest({"model": "openai/nobody", "messages": CODE}).under(config())
    assert isinstance(reply, Respond)
    assert reply.status == 404


MEASURES = Measures(prices=Known({MINI: Price(1, 2), GPT: Price(2, 3)}), latencies=Known({GPT: 0.1}))


async def test_the_cheapest_comes_first_and_the_chain_follows_the_ranking() -> None:
    asked = StreamRequest({"model": GPT, "messages": CODE})
    reply = await forwarded(asked, config(prefer="cheapest"), None, MEASURES)
    assert reply.metadata["decision"].startswith('built_in_router; route "code generation", cheapest of 3; ')
    assert (reply.metadata["model"], reply.set_headers["x-plano-route"]) == (MINI, "chain/code(mini,gpt)")
    assert reply.body is None


async def test_an_order_of_which_only_the_first_place_is_known_has_a_chain_too() -> None:
    reply = await forwarded(StreamRequest({"model": GPT, "messages": CODE}), config(prefer="fastest"), None, MEASURES)
    assert (reply.metadata["model"], reply.set_headers["x-plano-route"]) == (GPT, "chain/code(gpt)")


async def test_models_that_do_not_serve_the_api_are_passed_over() -> None:
    body = {"model": "claude", "messages": [{"role": "user", "content": "theology"}], "max_tokens": 1}
    reply = await forwarded(StreamRequest(body, "/v1/messages"), config())
    assert reply.metadata["model"] == "anthropic/claude"
    reply = await forwarded(StreamRequest({"model": GPT, "messages": body["messages"]}), config())
    assert reply.metadata["decision"] == 'requested_model; no model of route "claude" serves /v1/chat/completions'


async def test_embeddings_are_not_matched() -> None:
    reply = await forwarded(StreamRequest({"model": GPT, "input": "new code"}, "/v1/embeddings"), config())
    assert (reply.metadata["model"], reply.metadata["decision"]) == (GPT, "exact")


async def test_preferences_in_the_body_replace_the_configured_ones_and_go_nowhere() -> None:
    body = b'{"routing_preferences": %s, "n": 1.0, "messages": %s}' % (orjson.dumps(INLINE), orjson.dumps(POEM))
    asked = StreamRequest(body)
    reply = await forwarded(asked, config())
    assert reply.metadata["model"] == "together/any/poet"
    assert reply.metadata["decision"].startswith('built_in_router; route "poems"; matched')
    assert reply.body == b'{"model":"any/poet","n": 1.0,"messages": %s}' % orjson.dumps(POEM)
    assert asked.session.record.route == "(body)"


async def test_an_empty_list_in_the_body_asks_for_no_decision() -> None:
    reply = await forwarded(StreamRequest({"model": MINI, "messages": CODE, "routing_preferences": []}), config())
    assert (reply.metadata["model"], reply.metadata["decision"]) == (MINI, "exact")
    assert reply.body is not None
    assert b"routing_preferences" not in reply.body


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({}, "routing_preferences"),
        (None, "routing_preferences"),
        ([1], "routing_preferences[0]"),
        ([{"name": "a", "description": "b", "models": []}], "routing_preferences[0].models"),
        ([{"name": "a", "description": "b", "models": ["gpt-4o", 1]}], "routing_preferences[0].models[1]"),
        ([{"name": "a", "description": "b", "models": ["nobody"]}], "routing_preferences[0].models[0]"),
        ([{"name": "", "description": "b", "models": ["gpt-4o"]}], "routing_preferences[0].name"),
        ([{"name": "a", "models": ["gpt-4o"]}], "routing_preferences[0].description"),
        ([{"name": "a", "description": "b", "models": ["gpt-4o"], "policy": 1}], "routing_preferences[0].policy"),
        ([*INLINE, *INLINE], "routing_preferences[1].name"),
        ([INLINE[0] | {"selection_policy": 1}], "routing_preferences[0].selection_policy"),
        ([INLINE[0] | {"selection_policy": {"prefer": "x"}}], "routing_preferences[0].selection_policy.prefer"),
    ],
)
async def test_bad_preferences_in_the_body_are_refused_by_name(given: object, param: str) -> None:
    reply = await StreamRequest({"model": GPT, "messages": POEM, "routing_preferences": given}).under(config())
    assert isinstance(reply, Respond)
    assert (reply.status, orjson.loads(reply.body)["error"]["param"]) == (400, param)


async def test_preferences_are_out_of_place_where_nothing_is_said() -> None:
    reply = await StreamRequest({"model": GPT, "input": "x", "routing_preferences": INLINE}, "/v1/embeddings").under(config())
    assert isinstance(reply, Respond)
    assert (reply.status, orjson.loads(reply.body)["error"]["param"]) == (400, "routing_preferences")


async def test_filters_see_no_preferences_and_what_they_make_of_the_body_is_matched() -> None:
    changed = orjson.dumps({"model": "ignored", "messages": CODE})
    egress = StubEgress(answer=changed)
    made = config()
    services = Services(compile_plan(made), egress, McpSessions())
    session = Transaction("guarded", services)
    await session.handle(head())
    reply = await session.handle(RequestBody(orjson.dumps({"model": GPT, "messages": POEM})))
    assert isinstance(reply, Continue)
    assert reply.metadata["model"] == AZURE
    session = Transaction("guarded", services)
    await session.handle(head())
    await session.handle(RequestBody(orjson.dumps({"messages": POEM, "routing_preferences": INLINE})))
    assert orjson.loads(egress.calls[-1][3]) == {"messages": POEM}
