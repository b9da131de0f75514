"""What one worker remembers of decisions: identical conversations are not decided twice, and answers have names."""

from dataclasses import dataclass, replace

from ext_proc.apis.conversation import Turn
from ext_proc.routing.agents import decision_memory
from ext_proc.routing.agents.agent import Orchestrator
from ext_proc.routing.agents.agent_pool import AgentPool, compile_agents
from ext_proc.routing.agents.decision_memory import DecisionMemory
from ext_proc.routing.agents.ladder import Decision, choose_agent
from ext_proc.routing.agents.orchestrator import Named
from tests.unit.ext_proc.filters.recording_egress import RecordingEgress, reply

CACHING = Orchestrator(
    model="m", upstream_model="m", route="r", path="/p", timeout_seconds=1, context_length=8_192, cache_seconds=10
)
TELLING = replace(CACHING, cache_seconds=0, tells_earlier=True)


@dataclass(frozen=True)
class Candidate:
    id: str
    description: str
    is_default: bool = False


POOL = compile_agents([Candidate("weather", "Forecasts"), Candidate("flights", "Planes")])
OTHERS = compile_agents([Candidate("weather", "Forecasts"), Candidate("hotels", "Rooms")])
ASKED = (Turn("user", "Is it sunny?"),)
GOES_ON = (*ASKED, Turn("assistant", "Yes."), Turn("user", "And tomorrow?"))


class Asking:
    """An orchestrator that always says the same, and a clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.memory = DecisionMemory(lambda: self.now)
        self.egress = RecordingEgress([])

    async def ask(self, orchestrator: Orchestrator, *said: Turn, pool: AgentPool = POOL) -> Decision:
        self.egress.replies = [reply({"choices": [{"message": {"content": '{"route": ["weather"]}'}}]})]
        return await choose_agent(pool, said, egress=self.egress, orchestrator=orchestrator, headers={}, memory=self.memory)

    @property
    def prompt(self) -> str:
        return str(self.egress.posts[-1].json["messages"][0]["content"])


async def test_the_same_conversation_is_not_decided_again_for_a_while() -> None:
    asking = Asking()
    first = await asking.ask(CACHING, *ASKED)
    asking.now += 10
    assert await asking.ask(CACHING, *ASKED) == first
    assert len(asking.egress.posts) == 1
    asking.now += 1
    await asking.ask(CACHING, *ASKED)
    assert len(asking.egress.posts) == 2


async def test_another_conversation_other_agents_and_another_model_are_other_questions() -> None:
    asking = Asking()
    await asking.ask(CACHING, *ASKED)
    await asking.ask(CACHING, *GOES_ON)
    await asking.ask(CACHING, *ASKED, pool=OTHERS)
    await asking.ask(replace(CACHING, model="other"), *ASKED)
    await asking.ask(CACHING, Turn("user", "Is it"), Turn("user", "sunny?"))
    assert len(asking.egress.posts) == 5


async def test_nothing_is_remembered_unless_it_is_asked_for() -> None:
    asking = Asking()
    for _ in range(2):
        await asking.ask(replace(CACHING, cache_seconds=0), *ASKED)
    assert len(asking.egress.posts) == 2


async def test_who_answered_earlier_is_told_on_request() -> None:
    asking = Asking()
    await asking.ask(TELLING, *ASKED)
    await asking.ask(TELLING, *GOES_ON)
    assert '"content": "[weather] Yes."' in asking.prompt
    await asking.ask(replace(CACHING, cache_seconds=0), *GOES_ON)
    assert '"content": "Yes."' in asking.prompt


async def test_a_client_that_keeps_names_is_believed_if_they_are_agents() -> None:
    asking = Asking()
    for name, told in (("flights", "[flights] Yes."), ("somebody", "Yes.")):
        await asking.ask(TELLING, Turn("user", f"to {name}"), Turn("assistant", "Yes.", name), Turn("user", "When?"))
        assert f'"content": "{told}"' in asking.prompt


def test_the_oldest_conversations_are_forgotten() -> None:
    asking = Asking()
    for number in range(decision_memory.MOST_CONVERSATIONS + 1):
        asking.memory.remember(CACHING, POOL, (Turn("user", str(number)),), Named(("weather",), ""))
    assert asking.memory.recall(CACHING, POOL, (Turn("user", "0"),)) is None
    assert asking.memory.recall(CACHING, POOL, (Turn("user", "1"),)) is not None
