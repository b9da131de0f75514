"""The demo's descriptions lead the gateway's built-in router to the agent that each question expects."""

import re

import pytest
import yaml

from demos.travel_booking.run.gateway import CONFIG
from demos.travel_booking.run.questions import QUESTIONS, Question, Reply, check
from ext_proc.apis.conversation import Turn
from ext_proc.routing.agents.built_in_router import BuiltInRouter

OTHERS = [
    ("Will it rain in Tokyo tomorrow?", "weather_agent"),
    ("When is sunset in Paris?", "weather_agent"),
    ("Are there direct flights from Berlin?", "flight_agent"),
    ("Is BA53 delayed?", "flight_agent"),
    ("Convert 40 pounds to yen", "currency_agent"),
    ("What's the exchange rate from EUR to USD?", "currency_agent"),
    ("Tell me a joke", None),
]


def router() -> tuple[BuiltInRouter, str]:
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    (listener,) = [found for found in config["listeners"] if found["type"] == "agent"]
    agents = [(agent["id"], agent["description"]) for agent in listener["agents"]]
    return BuiltInRouter(agents), agents[0][0]


def chosen(*turns: Turn) -> str | None:
    choice = router()[0].choose(turns)
    return choice.agent if choice else None


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
def test_each_question_goes_where_the_demo_expects(question: Question) -> None:
    before = [] if question.after is None else [Turn("user", QUESTIONS[question.after].text), Turn("assistant", "It is 11 °C.")]
    found = chosen(*before, Turn("user", question.text))
    # Words name one agent; only the semantic rung names several.
    expected = None if "first_agent" in question.rungs else question.agent.partition(", ")[0]
    assert found == expected
    if found is None:
        assert question.agent == router()[1]


@pytest.mark.parametrize(("text", "agent"), OTHERS)
def test_other_questions_do_too(text: str, agent: str | None) -> None:
    assert chosen(Turn("user", text)) == agent


def test_an_answer_is_checked() -> None:
    question = QUESTIONS[0]
    text = " ".join(re.sub(r"\\(.)", r"\1", pattern) for pattern in question.mentions)
    assert check(question, Reply("weather_agent", 'built_in_router; matched "weather"', text)) == []
    wrong = check(question, Reply("flight_agent", "first_agent", "It is 30 °C in Rome."))
    assert len(wrong) == 2 + len(question.mentions)
