"""The ways for a model to resume an answer: by prefill, or by repeating it from the beginning."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from ext_proc.codec.json_body import JsonObject, parse_object
from ext_proc.continuation.merger import Merger
from ext_proc.plan.targets import Member
from ext_proc.translate.json_fields import as_list
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES, RESPONSES

REPEAT: Final = "repeat"
PREFILL: Final = "prefill"
_MARKS: Final = frozenset({"prefix", "partial"})
"""Fields of Chat Completions that mark a message as a prefix to be continued."""
_SAID_AGAIN: Final = "prefix"
"""Whether its answer begins with the prefill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequest:
    """One way for a model to resume the answer."""

    member: Member
    method: str
    """PREFILL or REPEAT."""
    body: bytes
    given: int
    """Characters of the prefill, which the model does not repeat."""


def resume_requests(merger: Merger, member: Member, method: str, client_api: str, body: bytes) -> Iterator[ResumeRequest]:
    """Yield the ways for a model to resume, best first, from what the client has so far; `method` is its `resume_method`."""
    text = (merger.text() or "").rstrip()  # Anthropic rejects a last text that ends with a space.
    if text and _can_be_given(member, method, client_api):
        started = _started(parse_object(body), text, method)
        yield ResumeRequest(member=member, method=PREFILL, body=started, given=0 if method == _SAID_AGAIN else len(text))
    yield ResumeRequest(member=member, method=REPEAT, body=body, given=0)


def _can_be_given(member: Member, method: str, client_api: str) -> bool:
    if client_api == RESPONSES:
        return False  # Its last events repeat all of the text, which a model that resumes by prefill does not send.
    if method in _MARKS:
        return client_api == member.resumed_api == CHAT_COMPLETIONS
    return method == PREFILL and member.resumed_api == MESSAGES


def _started(request: JsonObject, text: str, resume_method: str) -> bytes:
    message: JsonObject = {"role": "assistant", "content": text}
    if resume_method in _MARKS:
        message[resume_method] = True
    return orjson.dumps({**request, "messages": [*as_list(request.get("messages"), "messages"), message]})
