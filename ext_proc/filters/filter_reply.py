"""Maps the result of a filter call to an error, if it failed.

| what happened                             | the client gets                     |
| ----------------------------------------- | ----------------------------------- |
| the filter answered 4xx                   | that status and the filter's message |
| it answered anything else that is not 2xx | 502                                 |
| Envoy could not reach it                  | 503                                 |
| it did not answer in time                 | 504                                 |
| it answered 2xx with an invalid body      | 502                                 |
"""

from typing import Final

import orjson

from ext_proc.errors import FilterFailed, FilterRejected
from ext_proc.ports import TOO_LARGE, EgressResponse

_MAX_MESSAGE: Final = 1_000
_MAX_RESPONSE: Final = 8_192
_MESSAGE_FIELDS: Final = ("error", "message", "detail")
"""Where filters put their message: in one of these, as text or as an object that has it in one of these."""


def check_reply(filter_id: str, reply: EgressResponse) -> None:
    """Return if the filter answered with a 2xx.

    Raises:
        FilterRejected: the filter rejected the request.
        FilterFailed: it was unreachable, too slow, or failed.
    """
    if reply.local_reply == TOO_LARGE:
        raise failed(filter_id, "sent too long an answer")
    if reply.timed_out:
        raise timed_out(filter_id)
    if reply.unreachable:
        raise failed(filter_id, "could not be reached", status=503, detail=f"Envoy's response flags: {reply.local_reply}")
    if 400 <= reply.status < 500:
        raise rejected(filter_id, reply.status, reply.body.decode(errors="replace"))
    if not 200 <= reply.status < 300:
        raise failed(filter_id, "failed", detail=f"status {reply.status}")


def rejected(filter_id: str, status: int, response: str, message: str | None = None) -> FilterRejected:
    """Build the error of a filter that rejected the request; `response` is its whole answer."""
    message = (message_of(response) if message is None else message).strip()
    return FilterRejected(
        message[:_MAX_MESSAGE] or f"Filter '{filter_id}' rejected the request.",
        status=status,
        extra={"agent": filter_id, "status": status, "agent_response": response[:_MAX_RESPONSE]},
    )


def failed(filter_id: str, what: str, *, status: int = 502, detail: str = "") -> FilterFailed:
    """Build the error of a filter that failed; `what` completes the sentence "Filter 'x' ..."."""
    return FilterFailed(f"Filter '{filter_id}' {what}.", status=status, detail=detail)


def timed_out(filter_id: str) -> FilterFailed:
    """Build the error of a filter that was too slow."""
    return failed(filter_id, "did not answer in time", status=504)


def message_of(text: str) -> str:
    """Find the message in a filter's answer: in JSON's `error`, `message` or `detail`, else the text itself."""
    try:
        said = orjson.loads(text)
    except ValueError:
        return text
    return _message(said) or text


def _message(said: object, depth: int = 0) -> str:
    if isinstance(said, str):
        return said
    if not isinstance(said, dict) or depth > 2:
        return ""
    # An object beside a code (`{"error": "out_of_scope", "message": "Only travel."}`) explains itself in `message`.
    names = ("message", "detail", "error") if isinstance(said.get("error"), str) else _MESSAGE_FIELDS
    return next((found for name in names if (found := _message(said.get(name), depth + 1))), "")
