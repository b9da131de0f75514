"""The evaluator of a loop: an agent or a model that judges drafts, called by Chat Completions."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson

from ext_proc.apis.conversation import read_conversation
from ext_proc.codec.json_body import JsonObject, write_json
from ext_proc.orchestration.chat_completions import read_whole
from ext_proc.orchestration.part import Part
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent import Agent, Orchestrator

_TASK: Final = (
    "You review an assistant's draft before the user gets it. Judge whether it answers the user's last question correctly and "
    'completely. Reply with JSON only: {"verdict": "pass"} or {"verdict": "revise", "feedback": "what to change"}.'
)
_JSON: Final = re.compile(r"\{.*\}", re.DOTALL)
_AGENT_PATH: Final = "/v1/chat/completions"
_AGENT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """An evaluator's verdict."""

    word: str
    """`pass`, `revise`, or why there is none: `unreadable`, `unavailable`, `calls_tools`."""
    feedback: str = ""

    @property
    def passes(self) -> bool:
        """Whether the draft is delivered, also if the evaluation failed."""
        return self.word != "revise"


Evaluate = Callable[[JsonObject, Part], Awaitable[Verdict]]
"""Judges a draft; takes the client's body, too. Never raises."""


def evaluator(who: Agent | Orchestrator | None, api: str, *, egress: Egress, headers: Mapping[str, str]) -> Evaluate:
    """Return the evaluator; `headers` have the trace context."""
    return partial(_evaluate, who, api, egress, headers)


async def _evaluate(
    who: Agent | Orchestrator | None, api: str, egress: Egress, headers: Mapping[str, str], body: JsonObject, draft: Part
) -> Verdict:
    if draft.calls_tools or who is None:
        return Verdict("calls_tools" if draft.calls_tools else "unavailable")
    asked: JsonObject = {"messages": _messages(api, body, draft.text), "stream": False}
    if isinstance(who, Orchestrator):
        asked["model"], path, seconds = who.upstream_model, who.path, who.timeout_seconds
    else:
        asked["model"], path, seconds = body.get("model") or who.id, _AGENT_PATH, _AGENT_SECONDS
    sent = {**headers, "content-type": "application/json"}
    answer = await egress.post(who.route, path, headers=sent, body=write_json(asked), timeout_seconds=seconds)
    return read_verdict(answer.body) if answer.status == 200 and not answer.local_reply else Verdict("unavailable")


def _messages(api: str, body: JsonObject, draft: str) -> list[JsonObject]:
    turns = [{"role": turn.role, "content": turn.text} for turn in read_conversation(api, body)]
    return [{"role": "system", "content": _TASK}, *turns, {"role": "user", "content": f"The draft:\n\n{draft}"}]


def read_verdict(answer: bytes) -> Verdict:
    """Read a chat completion: JSON, alone or within other text, or the bare word `pass`."""
    try:
        text = read_whole("", orjson.loads(answer)).text
    except (orjson.JSONDecodeError, AttributeError):
        return Verdict("unreadable")
    if text.strip().strip("*.!").lower() in ("pass", "passed"):
        return Verdict("pass")
    found = _JSON.search(text)
    try:
        said = orjson.loads(found[0]) if found else None
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or said.get("verdict") not in ("pass", "revise"):
        return Verdict("unreadable")
    return Verdict(said["verdict"], str(said.get("feedback") or "Improve the answer."))
