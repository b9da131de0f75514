"""Asks the orchestrator model which agents fit."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from ext_proc.apis.conversation import Conversation
from ext_proc.codec.json_body import load_json
from ext_proc.ports import Egress, EgressResponse
from ext_proc.routing.agents.agent import Orchestrator
from ext_proc.routing.agents.agent_pool import AgentPool
from ext_proc.routing.agents.decision_models import (
    MOST_QUESTIONS,
    UnreadableAnswer,
    decisions_body,
    read_decisions,
    read_systemone,
    systemone_body,
)
from ext_proc.routing.agents.orchestrator_prompt import build_prompt, select_turns
from ext_proc.routing.agents.orchestrator_reply import UnreadableReply, parse_reply
from protos.contract.headers import REQUEST_ID_HEADER, TRACEPARENT_HEADER, TRACESTATE_HEADER

_TEMPERATURE: Final = 0.01
"""Practically deterministic; some providers reject 0."""
_TRACE_HEADERS: Final = (REQUEST_ID_HEADER, TRACEPARENT_HEADER, TRACESTATE_HEADER)
"""Downstream headers that are sent to the orchestrator, without credentials."""
_UNREADABLE: Final = "orchestrator's reply was unreadable"


class OrchestratorFailed(Exception):
    """No decision from the orchestrator; the message is a constant phrase that is safe to show."""


@dataclass(frozen=True, slots=True)
class Named:
    """The orchestrator's answer."""

    names: tuple[str, ...]
    """Best first; empty if no agent fits."""
    reason: str


async def ask_orchestrator(
    orchestrator: Orchestrator,
    pool: AgentPool,
    conversation: Conversation,
    *,
    egress: Egress,
    headers: Mapping[str, str],
) -> Named:
    """Ask which agents fit. Of the downstream `headers` only the trace context and the request id are sent.

    Raises:
        OrchestratorFailed: the model did not answer, or its answer is unreadable.
    """
    reply = await egress.post(
        orchestrator.route,
        orchestrator.path,
        headers={
            **{name: headers[name] for name in _TRACE_HEADERS if name in headers},
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
        },
        body=_body(orchestrator, pool, conversation),
        timeout_seconds=orchestrator.timeout_seconds,
    )
    body = _answered(reply)
    try:
        return _read(orchestrator, pool, body)
    except (UnreadableReply, UnreadableAnswer) as error:
        raise OrchestratorFailed(_UNREADABLE) from error


def _body(orchestrator: Orchestrator, pool: AgentPool, conversation: Conversation) -> bytes:
    if orchestrator.api == "chat_completions":
        return request_body(
            orchestrator.upstream_model, build_prompt(pool.routes, conversation, context_length=orchestrator.context_length)
        )
    if len(pool.ids) > MOST_QUESTIONS:
        raise OrchestratorFailed("there are more agents than a decision model can be asked about")
    turns = select_turns(conversation, orchestrator.context_length)
    encode = decisions_body if orchestrator.api == "decisions" else systemone_body
    return encode(orchestrator.upstream_model, pool.described, turns)


def request_body(model: str, prompt: str) -> bytes:
    """Encode the question as Chat Completions. Invalid Unicode is replaced."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "temperature": _TEMPERATURE}
    return orjson.dumps(body)


def _read(orchestrator: Orchestrator, pool: AgentPool, body: bytes) -> Named:
    if orchestrator.api == "chat_completions":
        return _named(parse_reply(_content(body), pool.known))
    read = read_decisions if orchestrator.api == "decisions" else read_systemone
    fits = read(body, pool.described, orchestrator.threshold)
    if not fits:
        return Named((), f"orchestrator found nothing with a probability of {orchestrator.threshold:g}")
    return Named(tuple(fits), ", then ".join(f"{name} {probability:.2f}" for name, probability in fits.items()))


def _named(names: Collection[str]) -> Named:
    if not names:
        return Named((), "orchestrator found nothing that fits")
    return Named(tuple(names), f"named {', '.join(names)}" if len(names) > 1 else "the only one named")


def _answered(reply: EgressResponse) -> bytes:
    if reply.timed_out:
        raise OrchestratorFailed("orchestrator timed out")
    if reply.unreachable:
        raise OrchestratorFailed("orchestrator was unreachable")
    if not 200 <= reply.status < 300:
        raise OrchestratorFailed(f"orchestrator answered {reply.status}")
    return reply.body


def _content(body: bytes) -> str:
    try:
        content = load_json(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError) as error:
        raise UnreadableReply from error
    if content is not None and not isinstance(content, str):
        raise UnreadableReply
    return content or ""
