"""Who decides when: playbooks of the ladder with an orchestrator that answers, fails, or is not there."""

from dataclasses import dataclass, replace

import orjson
import pytest

from ext_proc.apis.conversation import Turn
from ext_proc.ports import EgressResponse
from ext_proc.routing.agents.agent import Orchestrator
from ext_proc.routing.agents.agent_pool import AgentPool, compile_agents
from ext_proc.routing.agents.ladder import MAX_REASON, Decision, choose_agent
from tests.unit.ext_proc.filters.recording_egress import RecordingEgress, local_reply, reply

ORCHESTRATOR = Orchestrator(
    model="plano/orchestrator",
    upstream_model="Plano-Orchestrator",
    route="model/plano/orchestrator",
    path="/v1/chat/completions",
    timeout_seconds=5,
    context_length=8192,
)


@dataclass(frozen=True)
class Candidate:
    id: str
    description: str
    is_default: bool = False


WEATHER = Candidate("weather_agent", "Weather forecasts for any city.")
FLIGHT = Candidate("flight_agent", "Flight status and departures between airports.")
HELP = Candidate("help_desk", "Everything else.", is_default=True)
SKY = (Turn("user", "Will the weather be nice in Oslo?"),)
POEM = (Turn("user", "Write me a poem about cats"),)


def pool(*candidates: Candidate) -> AgentPool:
    return compile_agents(candidates)


def says(content: object) -> EgressResponse:
    return reply({"choices": [{"message": {"role": "assistant", "content": content}}]})


async def choose(agents: AgentPool, conversation: tuple[Turn, ...] = SKY, *replies: EgressResponse) -> Decision:
    egress = RecordingEgress(list(replies))
    return await choose_agent(
        agents, conversation, egress=egress, orchestrator=ORCHESTRATOR if replies else None, headers={"x-request-id": "r"}
    )


async def test_the_orchestrator_is_asked_through_the_egress_listener() -> None:
    egress = RecordingEgress([says('{"route": ["flight_agent"]}')])
    agents = pool(WEATHER, FLIGHT)
    headers = {
        ":path": "/",
        "content-length": "9",
        "authorization": "Bearer client",
        "x-request-id": "r",
        "traceparent": "00-1",
    }
    decision = await choose_agent(agents, SKY, egress=egress, orchestrator=ORCHESTRATOR, headers=headers)
    assert decision == Decision(("flight_agent",), "orchestrator", "the only one named")
    post = egress.posts[0]
    assert (post.route, post.path, post.timeout_seconds) == ("model/plano/orchestrator", "/v1/chat/completions", 5)
    assert post.headers == {
        "x-request-id": "r",
        "traceparent": "00-1",
        "accept": "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
    }
    assert post.json.keys() == {"model", "messages", "temperature"}
    assert (post.json["model"], post.json["temperature"]) == ("Plano-Orchestrator", 0.01)
    (message,) = post.json["messages"]
    assert message["role"] == "user"
    assert '"name": "weather_agent"' in message["content"]
    assert "Will the weather be nice in Oslo?" in message["content"]


async def test_one_agent_needs_no_decision() -> None:
    assert await choose(pool(WEATHER), SKY, says("flight_agent")) == Decision(("weather_agent",), "only_agent", "")


async def test_the_first_of_several_answers() -> None:
    decision = await choose(pool(WEATHER, FLIGHT), SKY, says('{"route": ["flight_agent", "weather_agent"]}'))
    assert decision.header == "orchestrator; named flight_agent, weather_agent"


@pytest.mark.parametrize("content", ['{"route": []}', '{"route": ["unknown"]}', "", None])
async def test_nothing_fits_goes_to_the_default_agent_else_to_the_first(content: str | None) -> None:
    with_default = await choose(pool(WEATHER, HELP), SKY, says(content))
    assert (with_default.agents[0], with_default.rung) == ("help_desk", "default_agent")
    without = await choose(pool(FLIGHT, WEATHER), SKY, says(content))
    assert (without.agents[0], without.rung) == ("flight_agent", "first_agent")
    assert without.reason == "orchestrator found nothing that fits"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (local_reply(504, "UT"), "orchestrator timed out"),
        (local_reply(503, "UF"), "orchestrator was unreachable"),
        (reply({"error": {}}, 500), "orchestrator answered 500"),
        (reply({"error": {}}, 401), "orchestrator answered 401"),
        (reply(b"<html>"), "orchestrator's reply was unreadable"),
        (reply({"choices": []}), "orchestrator's reply was unreadable"),
        (reply({"choices": {"0": 1}}), "orchestrator's reply was unreadable"),
        (says([1]), "orchestrator's reply was unreadable"),
        (says("I would rather not."), "orchestrator's reply was unreadable"),
    ],
)
async def test_an_orchestrator_that_fails_is_stood_in_for(answer: EgressResponse, reason: str) -> None:
    decision = await choose(pool(FLIGHT, WEATHER), SKY, answer)
    assert (decision.agents[0], decision.rung) == ("weather_agent", "built_in_router")
    assert decision.reason == f'{reason}; matched "weather"'
    lost = await choose(pool(FLIGHT, WEATHER, HELP), POEM, answer)
    assert (lost.agents[0], lost.rung, lost.reason) == ("help_desk", "default_agent", f"{reason}; nothing matched")


async def test_without_an_orchestrator_the_built_in_router_is_the_first_rung() -> None:
    assert (await choose(pool(FLIGHT, WEATHER))).header == 'built_in_router; matched "weather"'
    assert (await choose(pool(FLIGHT, WEATHER), POEM)).header == "first_agent; nothing matched"


async def test_nothing_said_goes_to_the_default_agent() -> None:
    assert (await choose(pool(WEATHER, HELP), ())).header == "default_agent; nothing was said"


async def test_a_reason_fits_into_a_header() -> None:
    many = [Candidate(f"agent-{number}-é☃", "") for number in range(50)]
    content = orjson.dumps({"route": [candidate.id for candidate in many]}).decode()
    decision = await choose(pool(*many), SKY, says(content))
    assert len(decision.reason) <= MAX_REASON
    assert decision.reason.isascii()
    assert decision.reason.isprintable()


@pytest.mark.parametrize(
    ("api", "answer"),
    [
        ("decisions", {"answers": [{"type": "predicate", "probability": 0.9}, {"type": "predicate", "probability": 0.6}, {}]}),
        ("systemone", {"answers": {"0": {"type": "noul", "noul": 0.9}, "1": {"type": "noul", "noul": 0.6}}}),
    ],
)
async def test_a_decision_model_is_an_orchestrator(api: str, answer: object) -> None:
    egress = RecordingEgress([reply(answer), reply({"answers": []})])
    model = replace(ORCHESTRATOR, api=api)
    agents = pool(FLIGHT, WEATHER)
    decision = await choose_agent(agents, SKY, egress=egress, orchestrator=model, headers={})
    assert decision.agents == ("flight_agent", "weather_agent")
    assert decision.header == "orchestrator; flight_agent 0.90, then weather_agent 0.60"
    failed = await choose_agent(agents, SKY, egress=egress, orchestrator=model, headers={})
    assert failed.header == 'built_in_router; orchestrator\'s reply was unreadable; matched "weather"'


async def test_a_decision_model_that_is_sure_of_nothing_names_nobody() -> None:
    egress = RecordingEgress([reply({"answers": [{"probability": 0.3}, {"probability": 0.1}]})])
    model = replace(ORCHESTRATOR, api="decisions", threshold=0.4)
    decision = await choose_agent(pool(WEATHER, HELP), SKY, egress=egress, orchestrator=model, headers={})
    assert decision.header == "default_agent; orchestrator found nothing with a probability of 0.4"
