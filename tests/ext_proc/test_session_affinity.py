"""Sessions keep their model: as their clients name them, as caching and budgets imply them, and while no user speaks."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry

from ext_proc.apis.usage import Usage
from ext_proc.attempt.record import COMPLETED, AttemptRecord
from ext_proc.clients.sqlite_sessions import SqliteSessions
from ext_proc.decide.request import Record, Services
from ext_proc.decide.session_usage import SessionUsage
from ext_proc.decide.transaction import Transaction
from ext_proc.events import Continue, Reply, RequestBody, Respond
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.plan.plan import compile_plan
from ext_proc.routing.affinity.sessions import Binding, Use, decode_binding
from ext_proc.routing.models.measures import Known, Measures, Price
from ext_proc.telemetry.session_metrics import SessionMetrics
from protos import filter_config_pb2 as pb
from tests.kit.filter_configs import filter_config
from tests.kit.transactions import StubEgress, head

GPT, MINI, AZURE = "openai/gpt-4o", "openai/gpt-4o-mini", "azure/gpt"
PRICES = Known({GPT: Price(10, 20), AZURE: Price(1, 1), MINI: Price(0.1, 0.1)})
CODE, POEM, NOTHING = "Please write new code for a parser.", "A poem about cats.", "Hm."


def config(affinity: pb.Affinity | None = None) -> pb.FilterConfig:
    made = filter_config()
    made.preferences.add(name="code", description="Writing new code", models=[GPT, MINI])
    made.preferences.add(name="poems", description="Poems", models=[AZURE, GPT])
    if affinity is not None:
        made.affinity.CopyFrom(affinity)
    return made


@dataclass
class Gateway:
    """Requests of one gateway, one after another."""

    affinity: pb.Affinity | None = None
    config: pb.FilterConfig | None = None
    record: Record = field(default_factory=lambda: Record(listener=""))
    sessions: SqliteSessions = field(default_factory=lambda: SqliteSessions("", SessionMetrics(CollectorRegistry())))

    async def _asked(self, text: str | list[Any], path: str, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        plan = compile_plan(self.config or config(self.affinity))
        services = Services(plan, StubEgress(), McpSessions(), Measures(prices=PRICES), self.sessions)
        session = Transaction("models", services)
        messages = text if isinstance(text, list) else [{"role": "user", "content": text}]
        await session.handle(head(path, **headers))  # type: ignore[arg-type]  # no header is called `method`
        reply = await session.handle(RequestBody(orjson.dumps({"model": MINI, "messages": messages} | body)))
        self.record = session.record
        return reply

    async def ask(self, text: str | list[Any], *, body: dict[str, Any] | None = None, **headers: str) -> tuple[str, str]:
        """Return the model that answers, and who decided."""
        reply = await self._asked(text, "/v1/chat/completions", body or {}, headers)
        assert isinstance(reply, Continue), reply
        return reply.metadata["model"], reply.metadata["decision"].partition(";")[0]

    async def decide(self, text: str, **headers: str) -> dict[str, Any]:
        reply = await self._asked(text, "/routing/v1/chat/completions", {}, headers)
        assert isinstance(reply, Respond)
        answer: dict[str, Any] = orjson.loads(reply.body)
        assert reply.status == 200, answer
        return answer


async def test_without_a_session_every_request_is_decided() -> None:
    gateway = Gateway()
    assert await gateway.ask(CODE) == (GPT, "built_in_router")
    assert await gateway.ask(POEM) == (AZURE, "built_in_router")


async def test_a_named_session_keeps_its_model() -> None:
    gateway = Gateway()
    assert await gateway.ask(CODE, x_model_affinity="s") == (GPT, "built_in_router")
    assert await gateway.ask(POEM, x_model_affinity="s") == (GPT, "pinned")
    assert (gateway.record.route, gateway.record.reason) == ("code", 'route "code" of the session')
    assert await gateway.ask(POEM, x_model_affinity="t") == (AZURE, "built_in_router")
    assert await gateway.ask(NOTHING, x_model_affinity="t") == (AZURE, "pinned")


async def test_a_session_ends_when_it_was_silent_for_its_time() -> None:
    clock = [1_000.0]
    gateway = Gateway(pb.Affinity(ttl_seconds=60))
    gateway.sessions = SqliteSessions("", SessionMetrics(CollectorRegistry()), now=lambda: clock[0])
    await gateway.ask(CODE, x_model_affinity="s")
    for _ in range(2):
        clock[0] += 50
        assert await gateway.ask(POEM, x_model_affinity="s") == (GPT, "pinned")
    clock[0] += 61
    assert await gateway.ask(POEM, x_model_affinity="s") == (AZURE, "built_in_router")


async def test_what_nothing_matched_is_not_kept() -> None:
    gateway = Gateway()
    assert await gateway.ask(NOTHING, x_model_affinity="s") == (MINI, "requested_model")
    assert await gateway.ask(CODE, x_model_affinity="s") == (GPT, "built_in_router")
    assert await gateway.ask(POEM, x_model_affinity="s") == (GPT, "pinned")


async def test_the_decision_api_shares_sessions_and_says_so() -> None:
    gateway = Gateway()
    first = await gateway.decide(CODE, x_model_affinity="s")
    assert (first["session_id"], first["pinned"], first["switched"]) == ("s", False, False)
    second = await gateway.decide(POEM, x_model_affinity="s")
    assert (second["models"], second["route"], second["pinned"]) == ([GPT, MINI], "code", True)
    assert await gateway.ask(POEM, x_model_affinity="s") == (GPT, "pinned")
    assert "session_id" not in await gateway.decide(POEM)


async def test_tenants_have_sessions_of_their_own() -> None:
    gateway = Gateway(pb.Affinity(tenant_header="x-org"))
    await gateway.ask(CODE, x_model_affinity="s", x_org="a")
    assert await gateway.ask(POEM, x_model_affinity="s", x_org="b") == (AZURE, "built_in_router")
    assert await gateway.ask(POEM, x_model_affinity="s", x_org="a") == (GPT, "pinned")


async def test_a_model_that_is_gone_is_kept_by_nobody() -> None:
    gateway = Gateway()
    await gateway.ask(CODE, x_model_affinity="s")
    changed = config()
    changed.models.remove(next(model for model in changed.models if model.name == GPT))
    del changed.preferences[:]
    changed.preferences.add(name="poems", description="Poems", models=[AZURE])
    gateway.config = changed
    assert await gateway.ask(POEM, x_model_affinity="s") == (AZURE, "built_in_router")
    assert await gateway.ask(CODE, x_model_affinity="s") == (AZURE, "pinned")


async def test_a_preference_that_is_gone_leaves_the_session_its_model() -> None:
    gateway = Gateway()
    await gateway.ask(CODE, x_model_affinity="s")
    changed = config()
    del changed.preferences[0]
    gateway.config = changed
    assert await gateway.ask(POEM, x_model_affinity="s") == (GPT, "pinned")
    assert gateway.record.route == "(body)"


def grown(*texts: str) -> list[dict[str, Any]]:
    """A conversation that began with the same question."""
    return [{"role": "user", "content": CODE}, *({"role": "user", "content": text} for text in texts)]


async def test_caching_implies_sessions_unless_a_client_wants_none() -> None:
    gateway = Gateway(pb.Affinity(implied_ttl_seconds=600))
    assert await gateway.ask(grown()) == (GPT, "built_in_router")
    assert await gateway.ask(grown(POEM)) == (GPT, "pinned")
    assert await gateway.ask(grown(POEM), x_plano_cache="off") == (AZURE, "built_in_router")
    assert await gateway.ask(POEM) == (AZURE, "built_in_router")


RESULT = {"role": "tool", "tool_call_id": "c", "content": "A poem"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}


async def test_only_a_users_own_message_changes_the_model() -> None:
    gateway = Gateway(pb.Affinity(user_only=True))
    assert await gateway.ask(grown()) == (GPT, "built_in_router")
    assert await gateway.ask([*grown(), CALL, RESULT]) == (GPT, "not_user_turn")
    reminder = {"role": "user", "content": f"<system-reminder>{POEM}</system-reminder>"}
    assert await gateway.ask([*grown(), reminder]) == (GPT, "not_user_turn")
    assert await gateway.ask(grown(POEM)) == (AZURE, "built_in_router")
    assert await gateway.ask([*grown(POEM), CALL, RESULT]) == (AZURE, "not_user_turn")
    # Another model that is asked for is another lane; other tools are another prompt.
    assert (await gateway.ask([*grown(POEM), CALL, RESULT], body={"model": AZURE}))[1] != "not_user_turn"


async def test_a_requested_model_goes_on_too_while_no_user_speaks() -> None:
    gateway = Gateway(pb.Affinity(user_only=True))
    ask = [{"role": "user", "content": NOTHING}]
    assert await gateway.ask(ask) == (MINI, "requested_model")
    assert await gateway.ask([*ask, CALL, RESULT]) == (MINI, "not_user_turn")


BUDGET = pb.Affinity(budget=pb.Budget(percent=20, replenishes=True, cached_share=0.1))


async def test_a_budget_lets_a_session_change_as_far_as_it_can_be_afforded() -> None:
    gateway = Gateway(BUDGET)
    assert await gateway.ask(POEM, x_model_affinity="s") == (AZURE, "built_in_router")
    assert await gateway.ask(CODE, x_model_affinity="s") == (AZURE, "routing_budget")
    assert gateway.record.reason == "changing to openai/gpt-4o costs more than 20 percent"
    refused = await gateway.decide(CODE, x_model_affinity="s")
    assert (refused["models"], refused["pinned"], refused["switched"]) == ([AZURE, GPT], True, False)
    assert await gateway.ask(POEM, x_model_affinity="s") == (AZURE, "built_in_router")


@pytest.mark.parametrize("records", [True, False])
async def test_what_a_budget_refuses_is_recorded_if_that_is_wanted(records: bool) -> None:
    budget = pb.Budget(percent=20, replenishes=True, cached_share=0.1, records_refused=records)
    gateway = Gateway(pb.Affinity(budget=budget))
    for text, refused in ((POEM, ("", "")), (CODE, (GPT, "code") if records else ("", ""))):
        await gateway.ask(text, x_model_affinity="s")
        assert (gateway.record.refused_model, gateway.record.refused_route) == refused
    assert gateway.record.model == AZURE


async def test_what_is_cheaper_is_always_within_the_budget() -> None:
    gateway = Gateway(BUDGET)
    await gateway.ask(CODE, x_model_affinity="s")
    changed = await gateway.decide(POEM, x_model_affinity="s")
    assert (changed["models"][0], changed["pinned"], changed["switched"]) == (AZURE, False, True)


async def test_a_request_may_bring_a_budget_of_its_own() -> None:
    gateway = Gateway()
    await gateway.ask(POEM, x_model_affinity="s", x_plano_max_switch_spend_pct="100")
    refused = await gateway.ask(CODE, x_model_affinity="s", x_plano_max_switch_spend_pct="5")
    assert refused == (AZURE, "routing_budget")
    assert await gateway.ask(CODE, x_model_affinity="s") == (AZURE, "pinned")


@pytest.mark.parametrize("given", ["x", "-1", "101", "nan", "inf"])
async def test_a_budget_that_is_none_is_refused_by_name(given: str) -> None:
    reply = await Gateway()._asked(CODE, "/v1/chat/completions", {}, {"x_plano_max_switch_spend_pct": given})
    assert isinstance(reply, Respond)
    error = orjson.loads(reply.body)["error"]
    assert (reply.status, error["param"]) == (400, "x-plano-max-switch-spend-pct")


async def test_a_store_that_fails_leaves_every_request_to_be_decided() -> None:
    registry = CollectorRegistry()
    gateway = Gateway(sessions=SqliteSessions("/nowhere/at/all", SessionMetrics(registry)))
    assert await gateway.ask(CODE, x_model_affinity="s") == (GPT, "built_in_router")
    assert await gateway.ask(POEM, x_model_affinity="s") == (AZURE, "built_in_router")
    assert registry.get_sample_value("plano_session_store_failures_total", {"store": "memory", "operation": "read"}) == 2


async def test_answers_tell_a_budget_how_long_the_conversation_is() -> None:
    gateway = Gateway(BUDGET)
    await gateway.ask(POEM, x_model_affinity="s")
    usage = SessionUsage(lambda: gateway.sessions)
    record = AttemptRecord(model=AZURE, session=":named:s", outcome=COMPLETED, usage=Usage(input_tokens=50_000))
    for noted in (record, replace(record, model=GPT), replace(record, session="t"), replace(record, outcome="upstream_error")):
        usage.note(noted)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(usage.run())
        for _ in range(10):
            await asyncio.sleep(0)
        running.cancel()
    assert (await known(gateway)).history == (Use(AZURE, (await known(gateway)).last_used, 50_000),)


async def test_only_a_budget_wants_to_know_usage() -> None:
    for affinity, wanted in ((BUDGET, ":named:s"), (None, None)):
        reply = await Gateway(affinity)._asked(POEM, "/v1/chat/completions", {}, {"x_model_affinity": "s"})
        assert isinstance(reply, Continue)
        assert reply.metadata.get("session") == wanted


async def known(gateway: Gateway) -> Binding:
    stored = await gateway.sessions.read(":named:s")
    assert stored is not None
    binding = decode_binding(stored)
    assert binding is not None
    return binding
