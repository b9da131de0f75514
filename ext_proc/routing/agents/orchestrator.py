"""Asks the orchestrator model which agents fit, and says in a few words why it could not."""

from collections.abc import Collection, Mapping

import orjson

from ext_proc.apis.conversation import Conversation
from ext_proc.codec.json_body import load_json
from ext_proc.ports import Egress, EgressResponse
from ext_proc.routing.agents.orchestrator_prompt import build_prompt
from ext_proc.routing.agents.orchestrator_reply import UnreadableReply, parse_reply
from ext_proc.runtime import Orchestrator
from protos.contract.headers import REQUEST_ID_HEADER, TRACEPARENT_HEADER

_TEMPERATURE = 0.01
"""As good as deterministic; 0 is refused by some providers."""


_TRACE_HEADERS = (REQUEST_ID_HEADER, TRACEPARENT_HEADER, "tracestate")
"""All that the orchestrator gets of the downstream request's headers: credentials are not meant for it."""


class OrchestratorFailed(Exception):
    """No decision from the orchestrator; the message is a constant phrase that is safe to show."""


async def ask_orchestrator(
    orchestrator: Orchestrator,
    routes: str,
    known: Collection[str],
    conversation: Conversation,
    *,
    egress: Egress,
    headers: Mapping[str, str],
) -> tuple[str, ...]:
    """Return the names of the routes that fit, best first; none if the model says that nothing fits.

    Of `headers`, the downstream request's, only what ties the calls of one request together goes along.

    Raises:
        OrchestratorFailed: the model did not answer, or nothing that can be read.
    """
    prompt = build_prompt(routes, conversation, context_length=orchestrator.context_length)
    reply = await egress.post(
        orchestrator.route,
        orchestrator.path,
        headers={
            **{name: headers[name] for name in _TRACE_HEADERS if name in headers},
            "accept": "application/json",
            "accept-encoding": "identity",
            "content-type": "application/json",
        },
        body=request_body(orchestrator.upstream_model, prompt),
        timeout_seconds=orchestrator.timeout_seconds,
    )
    try:
        return parse_reply(_content(reply), known)
    except UnreadableReply as error:
        raise OrchestratorFailed("orchestrator's reply was unreadable") from error


def request_body(model: str, prompt: str) -> bytes:
    """Encode the question as chat completions. Text that is not valid Unicode is replaced."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "temperature": _TEMPERATURE}
    return orjson.dumps(body)


def _content(reply: EgressResponse) -> str:
    if reply.timed_out:
        raise OrchestratorFailed("orchestrator timed out")
    if reply.unreachable:
        raise OrchestratorFailed("orchestrator was unreachable")
    if not 200 <= reply.status < 300:
        raise OrchestratorFailed(f"orchestrator answered {reply.status}")
    try:
        content = load_json(reply.body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError) as error:
        raise OrchestratorFailed("orchestrator's reply was unreadable") from error
    if content is not None and not isinstance(content, str):
        raise OrchestratorFailed("orchestrator's reply was unreadable")
    return content or ""
