"""Mergers by client API."""

from collections.abc import Callable, Sequence
from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.orchestration import chat_completions, messages, responses
from ext_proc.orchestration.part import Part, StreamMerger
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES, RESPONSES

ReadWhole = Callable[[str, JsonObject], Part]

READ_WHOLE: Final[dict[str, ReadWhole]] = {
    CHAT_COMPLETIONS: chat_completions.read_whole,
    MESSAGES: messages.read_whole,
    RESPONSES: responses.read_whole,
}

_MERGE_WHOLE: Final = {
    CHAT_COMPLETIONS: chat_completions.merge_whole,
    MESSAGES: messages.merge_whole,
    RESPONSES: responses.merge_whole,
}

WHOLE_NOTE: Final[dict[str, Callable[[str], JsonObject]]] = {
    CHAT_COMPLETIONS: chat_completions.whole_note,
    MESSAGES: messages.whole_note,
    RESPONSES: responses.whole_note,
}


def stream_merger(api: str, request: JsonObject, answer_id: str, created: int) -> StreamMerger:
    """Return a merger for the streamed answer to a request: `answer_id` is unique, `created` in seconds since the epoch."""
    if api == MESSAGES:
        return messages.MessagesMerger(answer_id)
    if api == RESPONSES:
        return responses.ResponsesMerger(answer_id, created)
    options = request.get("stream_options")
    reports_usage = isinstance(options, dict) and options.get("include_usage") is True
    return chat_completions.ChatMerger(answer_id, created, reports_usage=reports_usage)


def merge_whole(api: str, answers: Sequence[tuple[Part, JsonObject]], answer_id: str, *, labelled: bool) -> JsonObject:
    """Merge the whole answers of several agents, in order."""
    return _MERGE_WHOLE[api](answers, answer_id, labelled=labelled)
