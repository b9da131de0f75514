"""What a client sent, read strictly: a chat completions body becomes a ChatRequest, or a BadRequest that says what is wrong."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_MESSAGES = 10
"""Older messages are left out: a follow-up refers to what was said last."""
SPEAKERS = ("user", "assistant")
OPTION_TYPES: Mapping[str, tuple[type, ...]] = {
    "temperature": (int, float),
    "max_tokens": (int,),
    "max_completion_tokens": (int,),
    "stream_options": (dict,),
}
"""Fields of the client's request that go on to the answering model."""


class BadRequest(Exception):
    """The client's fault; `param` is the path of the field."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class Message:
    """One turn."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """The turns that matter, and how the client wants its answer."""

    conversation: tuple[Message, ...]
    """The last ten turns of user and assistant; the last one is the user's."""
    is_streaming: bool
    options: Mapping[str, Any]

    @property
    def question(self) -> str:
        """The last thing that the user said."""
        return self.conversation[-1].text


def parse_request(body: bytes) -> ChatRequest:
    """Read a request body."""
    try:
        request = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.") from error
    if not isinstance(request, dict):
        raise BadRequest("The body must be a JSON object.")
    stream = request.get("stream") or False
    if not isinstance(stream, bool):
        raise BadRequest("Must be true or false.", "stream")
    return ChatRequest(_conversation(request.get("messages")), stream, _options(request, is_streaming=stream))


def _options(request: Mapping[str, Any], *, is_streaming: bool) -> dict[str, Any]:
    options = {name: request[name] for name in OPTION_TYPES if request.get(name) is not None}
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, OPTION_TYPES[name]):
            raise BadRequest("Has a value of the wrong type.", name)
    if not is_streaming:
        options.pop("stream_options", None)
    return options


def _conversation(messages: object) -> tuple[Message, ...]:
    if not isinstance(messages, list) or not messages:
        raise BadRequest("Must be a list with at least one message.", "messages")
    turns = [_message(message, f"messages[{index}]") for index, message in enumerate(messages)]
    spoken = [turn for turn in turns if turn.role in SPEAKERS and turn.text]
    if not spoken or spoken[-1].role != "user":
        raise BadRequest("The last message must be the user's, with some text.", "messages")
    return tuple(spoken[-MAX_MESSAGES:])


def _message(message: object, path: str) -> Message:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise BadRequest("Must be an object with a role.", path)
    return Message(message["role"], _text(message.get("content"), f"{path}.content"))


def _text(content: object, path: str) -> str:
    """Join the text of a message; an assistant's turn of tool calls alone has none."""
    if content is None:
        return ""
    if isinstance(content, str):
        return _checked(content, path)
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise BadRequest("Must be text or a list of parts.", path)
    texts = [part.get("text", "") for part in content if part.get("type") == "text"]
    if not all(isinstance(text, str) for text in texts):
        raise BadRequest("The text of a part must be a string.", path)
    return _checked("\n".join(texts), path)


def _checked(text: str, path: str) -> str:
    """JSON can escape halves of characters, which no text that is sent on may contain."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest("Is not valid Unicode.", path) from error
    return text.strip()


def _refuse(constant: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(constant)
