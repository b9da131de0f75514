"""When descriptions are embedded: apart from requests, again after failures, and not again for what is known."""

import asyncio

import pytest

from ext_proc.clients import semantic_keeper
from ext_proc.clients.semantic_keeper import SemanticKeeper
from ext_proc.plan.listeners import Listener, ListenerKind
from ext_proc.plan.plan import Plan
from ext_proc.ports import EgressResponse
from ext_proc.routing.agents.agent import Agent
from ext_proc.routing.agents.agent_pool import AgentPool, compile_agents
from tests.kit.embedder import BUILT_IN, ModelEgress


class Egress(ModelEgress):
    """Fails as often as it is told to."""

    failures = 0

    async def post(self, *args: object, **rest: object) -> EgressResponse:
        if self.failures:
            self.failures -= 1
            return EgressResponse(503, {}, b"", "UF")
        return await super().post(*args, **rest)  # type: ignore[arg-type]


def plan(*described: tuple[str, str], embedding: bool = True) -> Plan:
    agents = {agent_id: Agent(id=agent_id, description=text, route="r") for agent_id, text in described}
    listener = Listener(name="l", kind=ListenerKind.AGENT, agents=agents, pool=compile_agents(tuple(agents.values())))
    return Plan(version="1", listeners={"l": listener}, embedding=BUILT_IN if embedding else None)


TWO = plan(("weather", "Forecasts"), ("flights", "Planes"))


async def until_idle(keeper: SemanticKeeper) -> None:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(keeper.run())
        await keeper.prepared()
        running.cancel()


def pool_of(configured: Plan) -> AgentPool:
    return configured.listeners["l"].pool


async def test_it_tries_until_it_succeeds() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    keeper, egress = SemanticKeeper(sleep=sleep), Egress()
    egress.failures = 3
    rung = keeper.follow(TWO, egress)
    assert rung is not None
    await until_idle(keeper)
    assert slept == [0.2, 0.4, 0.8]
    assert len(egress.asked) == 1
    assert keeper.follow(TWO, egress) is rung
    await until_idle(keeper)
    assert len(egress.asked) == 1, "what is known is kept"


async def test_one_agent_needs_no_embeddings() -> None:
    keeper, egress = SemanticKeeper(), Egress()
    keeper.follow(plan(("weather", "Forecasts")), egress)
    await until_idle(keeper)
    assert egress.asked == []


async def test_there_is_no_rung_without_a_model_or_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = SemanticKeeper()
    assert keeper.follow(plan(("a", "A"), ("b", "B"), embedding=False), Egress()) is None
    monkeypatch.setattr(semantic_keeper, "find_spec", lambda name: None)
    assert keeper.follow(TWO, Egress()) is None
