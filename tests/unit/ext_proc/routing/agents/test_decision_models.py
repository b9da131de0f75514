"""Decision models as orchestrators: what they are asked, in the words of their APIs, and what their answers mean."""

from typing import Any

import orjson
import pytest
from openai.types import Decision as OpenAIDecision
from openai.types import DecisionCreateParams
from pydantic import TypeAdapter

from ext_proc.apis.conversation import Turn
from ext_proc.routing.agents.decision_models import (
    UnreadableAnswer,
    decisions_body,
    read_decisions,
    read_systemone,
    systemone_body,
)

AGENTS = (("weather", "Forecasts"), ("flights", "Planes"), ("hotels", "Rooms"))
TURNS = (Turn("user", "Hello"), Turn("assistant", "Hi"), Turn("user", "Fly me to a sunny place"))


def decisions(*probabilities: float, best: str | None = None) -> bytes:
    answers: list[dict[str, Any]] = [{"type": "predicate", "name": None, "probability": value} for value in probabilities]
    if best:
        spread = [{"value": name, "probability": 1 / 3} for name, _ in AGENTS]
        answers.append({"type": "choice", "name": None, "choice": best, "confidence": 0.4, "probabilities": spread})
    details = {
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    usage = {"input_tokens": 9, "output_tokens": 0, "total_tokens": 9, **details}
    answer = {"model": "gpt-6-luna", "answers": answers, "usage": usage}
    OpenAIDecision.model_validate(answer)
    return orjson.dumps(answer)


def systemone(*probabilities: float, best: str | None = None) -> bytes:
    answers: dict[str, Any] = {str(index): {"type": "noul", "noul": value} for index, value in enumerate(probabilities)}
    if best:
        answers["best"] = {"type": "choice", "choice": best, "confidence": 0.4, "probabilities": {}}
    return orjson.dumps({"model": "jev", "answers": answers})


def test_openai_is_asked_in_its_own_words() -> None:
    body = orjson.loads(decisions_body("gpt-6-luna", AGENTS, TURNS))
    TypeAdapter(DecisionCreateParams).validate_python(body)
    assert body["input"][-1] == {"role": "user", "content": "Fly me to a sunny place"}
    *predicates, choice = body["questions"]
    assert [question["type"] for question in predicates] == ["predicate"] * 3
    assert "flights: Planes" in predicates[1]["instructions"]
    assert choice["choices"][2] == {"value": "hotels", "description": "Rooms"}


def test_typesafe_is_asked_in_its_own_words() -> None:
    body = orjson.loads(systemone_body("jev-latest", AGENTS, TURNS))
    assert body["state"][0] == {"role": "user", "content": "Hello"}
    assert body["questions"]["best"]["criteria"] == {"weather": "Forecasts", "flights": "Planes", "hotels": "Rooms"}
    assert body["questions"]["1"]["type"] == "noul"


def test_many_agents_leave_no_room_for_a_choice() -> None:
    many = [(f"agent{number}", "") for number in range(300)]
    assert len(orjson.loads(decisions_body("m", many, TURNS))["questions"]) == 300
    assert "best" not in orjson.loads(systemone_body("m", many, TURNS))["questions"]


@pytest.mark.parametrize(("answer", "read"), [(decisions, read_decisions), (systemone, read_systemone)])
def test_what_reaches_the_threshold_fits_and_the_choice_comes_first(answer: Any, read: Any) -> None:
    assert list(read(answer(0.7, 0.6, 0.1, best="flights"), AGENTS, 0.5)) == ["flights", "weather"]
    assert list(read(answer(0.7, 0.9, 0.1, best="hotels"), AGENTS, 0.5)) == ["flights", "weather"]
    assert read(answer(0.4, 0.3, 0.1, best="weather"), AGENTS, 0.5) == {}, "a choice is made even where nothing fits"
    assert read(answer(0.4, 0.3, 0.1, best="weather"), AGENTS, 0.4) == {"weather": 0.4}


@pytest.mark.parametrize(("answer", "read"), [(decisions, read_decisions), (systemone, read_systemone)])
def test_an_answer_without_a_probability_for_each_agent_is_unreadable(answer: Any, read: Any) -> None:
    with pytest.raises(UnreadableAnswer):
        read(answer(0.4, 0.5), AGENTS, 0.5)
    for body in (b"", b"[]", b"{}", b'{"answers": 3}', b'{"answers": [{"type": "refusal"}, {}, {}]}', b'{"answers": {"0": 1}}'):
        with pytest.raises(UnreadableAnswer):
            read(body, AGENTS, 0.5)
