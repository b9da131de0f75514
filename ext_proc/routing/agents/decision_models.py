"""Decision models as orchestrators: they write no text, but answer typed questions with probabilities.

The request asks which agent fits best, and for each agent whether it fits, by a threshold: a choice alone
would always name one.

OpenAI: https://platform.openai.com/docs/api-reference/decisions. TypeSafe: https://docs.typesafe.ai (System One).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from ext_proc.apis.conversation import Turn
from ext_proc.codec.json_body import load_json

MOST_CHOICES: Final = 255
MOST_QUESTIONS: Final = 400

Described = Sequence[tuple[str, str]]

_BEST: Final = "Which of these serves the latest intent of the user best?"
_FITS: Final = "The latest intent of the user is served by this agent. {name}: {description}"
_BEST_KEY: Final = "best"


class UnreadableAnswer(Exception):
    """The answer does not match the questions, or the model refused to answer."""


def decisions_body(model: str, agents: Described, turns: Sequence[Turn]) -> bytes:
    """Encode the questions for OpenAI's `POST /v1/decisions`."""
    fits = [{"type": "predicate", "instructions": _FITS.format(name=name, description=text)} for name, text in agents]
    choices = [{"value": name, "description": text} for name, text in agents]
    best = [{"type": "choice", "instructions": _BEST, "choices": choices}] if _has_choice(agents) else []
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    return orjson.dumps({"model": model, "input": messages, "questions": [*fits, *best]})


def read_decisions(body: bytes, agents: Described, threshold: float) -> dict[str, float]:
    """Return the agents that fit and their probabilities, the best first.

    Raises:
        UnreadableAnswer: it has no probability for each agent.
    """
    answers = _at(_parsed(body), "answers")
    if not isinstance(answers, list) or len(answers) < len(agents):
        raise UnreadableAnswer
    fits = {name: _probability(_at(answer, "probability")) for (name, _), answer in zip(agents, answers, strict=False)}
    return _ranked(fits, _at(answers[-1], "choice"), threshold)


def systemone_body(model: str, agents: Described, turns: Sequence[Turn]) -> bytes:
    """Encode the questions for TypeSafe's `POST /v1/systemone`."""
    questions: dict[str, object] = {
        str(index): {"type": "noul", "instructions": _FITS.format(name=name, description=text)}
        for index, (name, text) in enumerate(agents)
    }
    if _has_choice(agents):
        questions[_BEST_KEY] = {"type": "choice", "instructions": _BEST, "criteria": dict(agents)}
    state = [{"role": turn.role, "content": turn.text} for turn in turns]
    return orjson.dumps({"model": model, "state": state, "questions": questions})


def read_systemone(body: bytes, agents: Described, threshold: float) -> dict[str, float]:
    """As `read_decisions`, from an answer of System One."""
    answers = _at(_parsed(body), "answers")
    fits = {name: _probability(_at(_at(answers, str(index)), "noul")) for index, (name, _) in enumerate(agents)}
    return _ranked(fits, _at(_at(answers, _BEST_KEY), "choice"), threshold)


def _has_choice(agents: Described) -> bool:
    return len(agents) <= min(MOST_CHOICES, MOST_QUESTIONS - 1)


def _ranked(fits: Mapping[str, float], best: object, threshold: float) -> dict[str, float]:
    """Return the agents that fit; the model's choice comes first, if it fits."""
    ranked = sorted(fits.items(), key=lambda fit: (fit[0] != best, -fit[1]))
    return {name: probability for name, probability in ranked if probability >= threshold}


def _probability(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UnreadableAnswer
    return float(value)


def _parsed(body: bytes) -> object:
    try:
        value: object = load_json(body)
    except ValueError:
        raise UnreadableAnswer from None
    return value


def _at(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None
