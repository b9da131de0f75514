"""Compaction of Responses conversations at models of other APIs: a request for it is answered by a summary in one item.

Codex ends the input with a `compaction_trigger` when its conversation grows too long, takes exactly one `compaction` item for
an answer, and begins later requests with that. OpenAI encrypts the summary. Here the model is asked for one in words, which
travels as text after a mark, so that every model can read it later, OpenAI's too.
https://developers.openai.com/api/docs/guides/compaction, https://github.com/openai/codex/pull/22809 (2026-05)
"""

from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.json_fields import Uncarried, text_in

TRIGGER: Final = "compaction_trigger"
MARK: Final = "gateway-summary:"
"""Prefix of the `encrypted_content` of summaries that the gateway has made."""
REQUEST: Final = (
    "Do not go on with the task, and call no tools. Write a summary of this conversation from which another assistant, who "
    "sees nothing else of it, can go on: what the user wants, with every constraint and preference; what was done and decided, "
    "and why; files, commands, names, identifiers, values and errors that still matter, exactly as they are; what is left to "
    "do, and the next step. Answer with the summary only."
)
_INTRODUCTION: Final = "The conversation before this point was replaced by this summary of it:\n\n"


def is_asked_for(request: JsonObject) -> bool:
    """Whether a Responses request asks for a summary."""
    given = request.get("input")
    return isinstance(given, list) and any(isinstance(item, dict) and item.get("type") == TRIGGER for item in given)


def require_last(index: int, count: int, where: str) -> None:
    """See to it that the request for a summary is the last item.

    Raises:
        MalformedBody: it is not.
    """
    if index != count - 1:
        raise MalformedBody(f"{where}: `{TRIGGER}` must be the last item of the input.", param=where)


def compaction_item(item_id: str, summary: str) -> JsonObject:
    """Return the output item for a summary."""
    return {"id": item_id, "type": "compaction", "encrypted_content": f"{MARK}{summary}"}


def summary_of(item: JsonObject, where: str, api: str) -> str:
    """Return the replacement of a `compaction` item in a conversation.

    Raises:
        Uncarried: a provider made it, and only that provider can read it.
    """
    text = text_in(item, "encrypted_content", where)
    if not text.startswith(MARK):
        raise Uncarried(f"{where}.encrypted_content", api, why="can be read by its own provider only, and cannot be carried")
    return _INTRODUCTION + text.removeprefix(MARK)


def as_message(item: JsonObject) -> JsonObject:
    """Return a `compaction` item that was made here as a message that OpenAI can read; any other item as it is."""
    text = item.get("encrypted_content")
    if item.get("type") != "compaction" or not isinstance(text, str) or not text.startswith(MARK):
        return item
    return {"type": "message", "role": "user", "content": _INTRODUCTION + text.removeprefix(MARK)}
