"""The conversation in a request body of any client API, as texts of users and assistants.

The input of decisions: only turns of users and assistants (instructions and tool traffic do not show intent), and
only their text. Unknown content is skipped; an error, which names its field, is raised only for unusable bodies.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ext_proc.apis.registry import spec_of
from ext_proc.apis.responses.spec import RESPONSES
from ext_proc.errors import MalformedBody

SPEAKERS: Final = frozenset({"user", "assistant"})

_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})

_INPUT_ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt")
"""Fields of a Responses body that may replace `input`: only the upstream has the conversation."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A message of one side."""

    role: str
    """`user` or `assistant`."""
    text: str
    """Never blank; several text parts are joined by newlines."""
    name: str = ""
    """The client's `name` of a message; of an answer it may be an agent's id."""


Conversation = tuple[Turn, ...]


def read_conversation(api: str, body: Mapping[str, object]) -> Conversation:
    """Read the conversation of a body: `api` is `chat_completions`, `messages` or `responses`.

    Raises:
        MalformedBody: a required field is missing or of the wrong type; `param` names it.
    """
    field = spec_of(api).conversation
    if field == RESPONSES.conversation:
        return tuple(_response_turns(body))
    messages = body.get(field)
    if messages is None:
        raise MalformedBody(f"'{field}' is required.", param=field)
    return tuple(_turns(messages, field))


def _response_turns(body: Mapping[str, object]) -> Iterator[Turn]:
    given = body.get("input")
    if given is None:
        if not any(body.get(field) is not None for field in _INPUT_ELSEWHERE):
            raise MalformedBody("'input' is required.", param="input")
    elif isinstance(given, str):
        if given.strip():
            yield Turn("user", given)
    else:
        yield from _turns(given, "input")


def _turns(messages: object, field: str) -> Iterator[Turn]:
    if not isinstance(messages, list):
        raise MalformedBody(f"'{field}' must be a list.", param=field)
    if not messages:
        raise MalformedBody(f"'{field}' must not be empty.", param=field)
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            raise MalformedBody(f"'{field}[{index}]' must be an object.", param=f"{field}[{index}]")
        if not _is_message(message, field):
            continue
        role = message.get("role")
        if not isinstance(role, str):
            raise MalformedBody(f"'{field}[{index}].role' must be a string.", param=f"{field}[{index}].role")
        text = _text(message.get("content"), f"{field}[{index}].content")
        if role in SPEAKERS and text and not text.isspace():
            name = message.get("name")
            yield Turn(role, text, name if isinstance(name, str) else "")


def _is_message(item: dict[str, object], field: str) -> bool:
    """Whether an item is a message: Responses mix them with tool calls, reasoning and references."""
    return field == "messages" or item.get("type", "message") == "message"


def _text(content: object, field: str) -> str:
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, list):
        raise MalformedBody(f"'{field}' must be a string or a list of parts.", param=field)
    return "\n".join(text for index, part in enumerate(content) if (text := _part_text(part, f"{field}[{index}]")))


def _part_text(part: object, field: str) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise MalformedBody(f"'{field}' must be an object.", param=field)
    kind = part.get("type", "text")
    if not isinstance(kind, str) or kind not in _TEXT_PARTS:
        return ""
    text = part.get("text")
    if not isinstance(text, str):
        raise MalformedBody(f"'{field}.text' must be a string.", param=f"{field}.text")
    return text
