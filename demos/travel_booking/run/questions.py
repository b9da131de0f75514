"""The six questions, and what a right answer is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question, in a conversation of its own or after an earlier one."""

    text: str
    shows: str
    """What there is to see."""
    agent: str
    """Who should answer; `a, b` for several, in their order."""
    rungs: Sequence[str] = ("built_in_router", "semantic")
    """Which rungs of the gateway's ladder may decide: words or meaning, whichever is sure."""
    mentions: Sequence[str] = ()
    """Patterns that the answer must contain, whatever the provider's words are."""
    after: int | None = None
    """Position of the question that this one follows up on."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back through the gateway."""

    agent: str
    decision: str
    text: str


QUESTIONS = (
    Question(
        text="What's the weather in London?",
        shows="one agent among three",
        agent="weather_agent",
        mentions=("London", r"11\.4"),
    ),
    Question(
        text="What flights go from London to Seattle?",
        shows="another agent, the same listener",
        agent="flight_agent",
        mentions=("London", "Seattle", r"BA ?53"),
    ),
    Question(
        text="How much is 250 US dollars in euros?",
        shows="a conversion at the recorded rate",
        agent="currency_agent",
        mentions=(r"215\.8",),
    ),
    Question(
        text="Do they fly out from Seattle?",
        shows="a follow-up to the first question: London is only in the conversation",
        agent="flight_agent",
        mentions=("Seattle", "London", r"BA ?52"),
        after=0,
    ),
    Question(
        text="Write me a haiku about databases",
        shows="no agent fits: the first one gets it, and says what it can do",
        agent="weather_agent",
        rungs=("first_agent",),
        mentions=("weather",),
    ),
    Question(
        text="Show me flights from Seattle to Atlanta, and what is the weather there?",
        shows="two agents answer in sequence; the second one sees what the first one said",
        agent="flight_agent, weather_agent",
        rungs=("semantic",),
        mentions=("Atlanta", r"DL ?320", r"17\.3"),
    ),
)


def check(question: Question, reply: Reply) -> list[str]:
    """Return what is wrong with a reply."""
    problems = []
    if reply.agent != question.agent:
        problems.append(f"{question.agent} should have answered, not {reply.agent or 'nobody'}")
    if reply.decision.partition(";")[0].strip() not in question.rungs:
        problems.append(f"{' or '.join(question.rungs)} should have decided, not {reply.decision or 'nothing'}")
    missing = [pattern for pattern in question.mentions if not re.search(pattern, reply.text, re.IGNORECASE)]
    return problems + [f"the answer does not mention {pattern}" for pattern in missing]
