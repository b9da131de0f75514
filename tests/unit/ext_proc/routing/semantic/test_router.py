"""How well the semantic rung does on labelled conversations, with the model that gateways have, and what else it promises."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import yaml

from ext_proc.apis.conversation import Turn
from ext_proc.ports import EgressResponse
from ext_proc.routing.agents.agent_pool import AgentPool, compile_agents
from ext_proc.routing.agents.ladder import Match, NoMatch, find_match
from ext_proc.routing.agents.semantic_rung import Meant, SemanticRungFailed
from ext_proc.routing.semantic.model import EmbeddingModel
from ext_proc.routing.semantic.reading import read
from ext_proc.routing.semantic.router import SemanticRouter
from tests.kit.embedder import ModelEgress, semantic_router, vectors_of
from tests.unit.ext_proc.filters.recording_egress import RecordingEgress

DATA = Path(__file__).parents[4] / "data" / "routing"
LABELLED = sorted((Path(__file__).parents[1] / "agents" / "labelled").glob("*.yaml"))


@dataclass(frozen=True)
class Candidate:
    id: str
    description: str
    is_default: bool = False


@dataclass(frozen=True)
class Row:
    pool: AgentPool
    conversation: tuple[Turn, ...]
    expect: frozenset[str]


def pool(**described: str) -> AgentPool:
    return compile_agents([Candidate(agent_id, text) for agent_id, text in described.items()])


def turns(*said: str) -> tuple[Turn, ...]:
    roles = ["user", "assistant"] * len(said)
    return tuple(Turn(role, text) for role, text in zip(roles, said, strict=False))


def telecom() -> Iterator[Row]:
    (listener,) = yaml.safe_load((DATA / "telecom.yaml").read_text())["listeners"]
    quoted = {agent["id"]: " ".join(f'"{example}"' for example in agent.get("examples", ())) for agent in listener["agents"]}
    agents = pool(**{agent["id"]: f"{agent['description']} For example: {quoted[agent['id']]}" for agent in listener["agents"]})
    for line in (DATA / "telecom.jsonl").read_text().splitlines():
        row = orjson.loads(line)
        said = tuple(Turn(message["role"], message["content"]) for message in row["messages"])
        yield Row(agents, said, frozenset(row["expect"]))


def others() -> Iterator[Row]:
    for path in LABELLED:
        data = yaml.safe_load(path.read_text())
        agents = compile_agents([Candidate(agent["id"], agent["description"]) for agent in data["agents"]])
        for row in data["conversations"]:
            yield Row(agents, turns(*row["say"]), frozenset([row["expect"]] if row["expect"] else []))


async def named(router: SemanticRouter, row: Row, egress: ModelEgress) -> frozenset[str]:
    match = await find_match(row.pool, row.conversation, egress=egress, orchestrator=None, headers={}, semantic=router)
    return frozenset(match.names) if isinstance(match, Match) else frozenset()


async def share_right(rows: list[Row]) -> float:
    router, egress = semantic_router(), ModelEgress()
    vectors_of([text for row in rows if (reading := read(row.conversation)) for text in reading.texts])
    await router.prepare([row.pool for row in rows], egress)
    return sum([await named(router, row, egress) == row.expect for row in rows]) / len(rows)


async def test_it_is_right_about_agents_that_it_was_not_made_for() -> None:
    rows = list(telecom())
    assert len(rows) == 300
    one = [row for row in rows if len(row.expect) == 1]
    assert await share_right([row for row in one if len(row.conversation) == 1]) >= 0.80
    assert await share_right([row for row in one if len(row.conversation) > 1]) >= 0.75
    assert await share_right([row for row in rows if not row.expect]) >= 0.85
    assert await share_right([row for row in rows if len(row.expect) > 1]) >= 0.5


async def test_it_keeps_what_the_built_in_router_was_right_about() -> None:
    rows = list(others())
    assert await share_right([row for row in rows if row.expect]) >= 0.95
    assert await share_right([row for row in rows if not row.expect]) >= 0.85


WEATHER = {"weather_agent": "Weather forecasts for any city", "flight_agent": "Flights between airports"}


async def choose(agents: AgentPool, *said: str) -> Meant:
    router, egress = semantic_router(), ModelEgress()
    await router.prepare([agents], egress)
    return await router.choose(agents, turns(*said), egress=egress, headers={})


async def test_score_and_runner_up_are_told() -> None:
    meant = await choose(pool(**WEATHER), "should I take an umbrella to work?")
    assert meant.names == ("weather_agent",)
    assert re.fullmatch(r"score [01]\.\d\d, then flight_agent -?\d\.\d\d", meant.reason)


async def test_what_nobody_answers_names_the_nearest() -> None:
    meant = await choose(pool(**WEATHER), "how do I knit a scarf?")
    assert meant.names == ()
    assert meant.reason.startswith("nothing is near enough: ")


async def test_the_order_of_agents_and_the_length_of_descriptions_do_not_decide() -> None:
    long = "Weather forecasts for any city. " + "Answers in full sentences, in a friendly way, at any time of the day. " * 5
    for agents in (
        pool(**WEATHER),
        pool(**dict(reversed(WEATHER.items()))),
        pool(**WEATHER | {"weather_agent": long}),
        pool(**WEATHER | {"flight_agent": long.replace("Weather forecasts for any city", "Flights between airports")}),
    ):
        assert (await choose(agents, "is it going to be sunny?")).names == ("weather_agent",)
        assert (await choose(agents, "my plane is late")).names == ("flight_agent",)
        assert (await choose(agents, "translate this letter")).names == ()


async def test_each_part_of_a_question_can_be_another_agents() -> None:
    meant = await choose(pool(**WEATHER), "Find me a flight to Rome on Friday, and will it rain there?")
    assert meant.names == ("flight_agent", "weather_agent")


@pytest.mark.parametrize("thanks", ["thank you so much", "great, have a nice day", "perfect, thanks"])
async def test_thanks_continue_nothing(thanks: str) -> None:
    assert (await choose(pool(**WEATHER), "Is my flight on time?", "Yes.", thanks)).names == ()


async def test_a_question_that_the_built_in_router_is_sure_of_is_not_embedded() -> None:
    router, egress = semantic_router(), ModelEgress()
    agents = pool(**WEATHER)
    await router.prepare([agents], egress)
    egress.asked.clear()
    conversation = turns("What's the weather forecast for Oslo?")
    match = await find_match(agents, conversation, egress=egress, orchestrator=None, headers={}, semantic=router)
    assert isinstance(match, Match)
    assert (match.names, match.rung, egress.asked) == (("weather_agent",), "built_in_router", [])


async def test_a_question_is_embedded_once_and_only_trace_headers_go_along() -> None:
    router, egress = semantic_router(), ModelEgress()
    agents = pool(**WEATHER)
    await router.prepare([agents], egress)
    egress.asked.clear()
    headers = {"authorization": "Bearer client", "x-request-id": "r", "traceparent": "00-1", "cookie": "c"}
    for _ in range(2):
        await router.choose(agents, turns("take a coat?"), egress=egress, headers=headers)
    assert egress.asked == [["take a coat?"]]
    assert egress.headers[-1].keys() == {"x-request-id", "traceparent", "accept", "accept-encoding", "content-type"}


async def test_without_embeddings_matching_words_decide() -> None:
    router, agents = semantic_router(), pool(**WEATHER)
    egress = RecordingEgress([EgressResponse(503, {}, b"", "UF")])
    with pytest.raises(SemanticRungFailed):
        await router.prepare([agents], egress)
    match = await find_match(agents, turns("rain?"), egress=egress, orchestrator=None, headers={}, semantic=router)
    assert isinstance(match, Match)
    assert match.rung == "built_in_router"
    assert match.reason == 'descriptions are not embedded yet; matched "weather"'
    assert not egress.replies, "requests do not wait for what is prepared apart from them"


async def test_scripts_that_the_built_in_model_does_not_know_are_left_to_words() -> None:
    agents = compile_agents([Candidate("天气助手", "查询城市的天气预报和气温"), Candidate("flights", "Flights")])
    router, egress = semantic_router(), ModelEgress()
    await router.prepare([agents], egress)
    match = await find_match(agents, turns("明天天气怎么样"), egress=egress, orchestrator=None, headers={}, semantic=router)
    assert isinstance(match, Match)
    assert (match.names, match.rung) == (("天气助手",), "built_in_router")


async def test_preferences_that_a_request_brings_along_are_embedded_once_and_in_part() -> None:
    router, egress = semantic_router(), ModelEgress()
    await router.prepare([pool(**WEATHER)], egress)
    guests = pool(**{f"kind_{number}": ". ".join(f"does thing {number} {part}" for part in range(50)) for number in range(8)})
    egress.asked.clear()
    for said in ("thing 3 41", "thing 5"):
        await router.choose(guests, turns(said), egress=egress, headers={})
    assert [len(texts) for texts in egress.asked] == [64, 1, 1]


async def test_requests_do_not_stand_in_line_behind_each_other() -> None:
    router, egress = semantic_router(), ModelEgress()
    agents = pool(**WEATHER)
    await router.prepare([agents], egress)
    waiting = asyncio.Event()

    class Slow(ModelEgress):
        async def post(self, route: str, path: str, **rest: object) -> EgressResponse:
            await waiting.wait()
            return await super().post(route, path, **rest)  # type: ignore[arg-type]

    async with asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(router.choose(agents, turns("snow?"), egress=Slow(), headers={}))
        await asyncio.sleep(0)
        assert (await router.choose(agents, turns("my plane is late"), egress=egress, headers={})).names == ("flight_agent",)
        assert not slow.done()
        waiting.set()


async def test_a_model_of_a_provider_is_asked_for_the_subjects_too() -> None:
    model = EmbeddingModel(upstream_model="other", route="embedding/(built-in)", path="/v1/embeddings", timeout_seconds=1)
    router, egress, agents = SemanticRouter(model), ModelEgress(), pool(**WEATHER)
    nothing = await find_match(agents, turns("hm"), egress=egress, orchestrator=None, headers={}, semantic=router)
    assert isinstance(nothing, NoMatch)
    await router.prepare([agents], egress)
    assert sum(map(len, egress.asked)) > 800
    assert (await router.choose(agents, turns("is it sunny?"), egress=egress, headers={})).names == ("weather_agent",)
