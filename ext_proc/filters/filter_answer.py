"""A filter that answers a request itself, instead of the agent or the model: `{"answer": ...}` where the next body would be.

The answer is text, or a whole answer in the client's API. No request of any API has that one member alone.
"""

from collections.abc import Callable
from typing import Any, Final

from ext_proc.apis.api import Api
from ext_proc.codec.json_body import JsonObject, load_json
from ext_proc.errors import MalformedBody
from ext_proc.filters.filter_reply import failed
from ext_proc.translate.whole_to_events import WITH_EVENTS, stream_of

_FIELD: Final = "answer"
_BEGINS: Final = b'"answer"'
_NO_TOKENS: Final = {"input_tokens": 0, "output_tokens": 0}


class FilterAnswered(Exception):
    """A filter has answered; those after it, and the upstream, are not asked."""

    def __init__(self, filter_id: str, answer: str | JsonObject) -> None:
        super().__init__(filter_id)
        self.filter_id = filter_id
        self._answer = answer

    def whole(self, api: str, answer_id: str, created: int) -> JsonObject:
        """Return the answer in an API.

        Raises:
            FilterFailed: it is text, and the API has no answers of text.
        """
        if isinstance(self._answer, dict):
            return self._answer
        if api not in _WHOLE:
            raise failed(self.filter_id, "answered with text, which this API has no place for")
        return _WHOLE[api](self._answer, answer_id, created)

    def events(self, api: str, answer_id: str, created: int) -> bytes:
        """Return the answer as a stream; raises as `whole`."""
        if api not in WITH_EVENTS:
            raise failed(self.filter_id, "answered a request for a stream, which is not possible for this API")
        try:
            return stream_of(api, self.whole(api, answer_id, created))
        except MalformedBody as error:
            raise failed(self.filter_id, "gave an answer that is none of this API", detail=error.public_message) from None


def check_answer(filter_id: str, body: bytes) -> None:
    """Return if a body is one that follows a request.

    Raises:
        FilterAnswered: it is an answer.
        FilterFailed: it is meant as one, and is neither text nor an object.
    """
    if not body[1:].lstrip().startswith(_BEGINS):
        return
    value = load_json(body)
    if not isinstance(value, dict) or value.keys() != {_FIELD}:
        return
    answer = value[_FIELD]
    if not isinstance(answer, str | dict):
        raise failed(filter_id, "gave an answer that is neither text nor an object")
    raise FilterAnswered(filter_id, answer)


def _chat(text: str, answer_id: str, created: int) -> JsonObject:
    message = {"role": "assistant", "content": text, "refusal": None}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    head = {"id": f"chatcmpl-{answer_id}", "object": "chat.completion", "created": created, "model": "filter"}
    return {**head, "choices": [choice], "usage": usage}


def _messages(text: str, answer_id: str, _created: int) -> JsonObject:
    head = {"id": f"msg_{answer_id}", "type": "message", "role": "assistant", "model": "filter"}
    ends = {"stop_reason": "end_turn", "stop_sequence": None, "usage": _NO_TOKENS}
    return {**head, "content": [{"type": "text", "text": text}], **ends}


def _responses(text: str, answer_id: str, created: int) -> JsonObject:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": f"msg_{answer_id}", "role": "assistant", "status": "completed", "content": [part]}
    details: dict[str, Any] = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    head = {"id": f"resp_{answer_id}", "object": "response", "created_at": created, "model": "filter", "status": "completed"}
    settings = {"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}
    return {**head, **settings, "output": [item], "usage": {**_NO_TOKENS, "total_tokens": 0, **details}}


_WHOLE: Final[dict[str, Callable[[str, str, int], JsonObject]]] = {
    Api.CHAT_COMPLETIONS: _chat,
    Api.MESSAGES: _messages,
    Api.RESPONSES: _responses,
}
