"""Small conversions that several pairs share: data URLs, tool arguments, stop reasons, reasoning effort, user ids."""

import hashlib
from base64 import b64decode
from typing import Any, Final

import orjson

from ext_proc.codec.json_body import JsonObject

ANTHROPIC_STOP: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
    "sensitive": "refusal",
    "model_length": "max_tokens",
    "max_tokens": "max_tokens",
}
"""Chat's finish_reason -> stop_reason; `sensitive` is Zhipu's, `model_length` Mistral's. Unknown ones become end_turn."""

CHAT_FINISH: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Anthropic's stop_reason -> finish_reason."""

ANTHROPIC_TIER: Final = {"default": "standard", "auto": "standard", "flex": "standard", "priority": "priority"}
"""service_tier of an OpenAI answer -> of a message's usage."""

CHAT_TIER: Final = {"standard": "default", "priority": "priority"}
"""service_tier of a message's usage -> of an OpenAI answer."""

_SPELLINGS: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
    "text/x-markdown": "text/markdown",
}
"""Media types that strict servers reject -> the registered ones."""
_UNTELLING: Final = ("", "application/octet-stream", "binary/octet-stream")
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_TYPES_OF_FILES: Final = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "md": "text/markdown",
    "html": "text/html",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "json": "text/json",
    "xml": "text/xml",
    "yaml": "text/yaml",
    "py": "text/x-python",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
"""File extension -> media type, for text files."""

_MAX_USER: Final = 64
"""OpenAI rejects longer user ids; Claude Code's are longer."""

_BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 24576, "xhigh": 32768, "max": 49152}
_MIN_BUDGET: Final = 1024


def data_url(media_type: str, data: str) -> str:
    """Return base64 data as a URL."""
    return f"data:{media_type};base64,{data}"


def split_data_url(url: str) -> tuple[str, str] | None:
    """Return (media type, base64 data), or None if the URL is not base64 data."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    return head[len("data:") : -len(";base64")].split(";", 1)[0], data


def media_type_of(media_type: str, filename: object = None) -> str:
    """Return the registered name of a media type; if it is generic, the one of the file's extension."""
    known = media_type.strip().lower()
    if known in _UNTELLING and isinstance(filename, str):
        return _TYPES_OF_FILES.get(filename.rpartition(".")[2].lower(), known)
    return _SPELLINGS.get(known, known)


def text_of_data(media_type: str, data: str) -> str | None:
    """Return the text in base64 data; None if it is not UTF-8 text."""
    if not media_type.startswith("text/"):
        return None
    try:
        return b64decode(data, validate=True).decode()
    except ValueError:
        return None


def arguments_object(arguments: object) -> JsonObject:
    """Return a tool call's arguments as an object, as in Anthropic's API.

    Models send "" for a tool without parameters, and a call that the token limit truncates is half an object. Neither may break
    the conversation: the first becomes {}, the second keeps its text, so that the tool's validation shows it to the model.
    """
    if isinstance(arguments, dict):
        return arguments
    if not isinstance(arguments, str) or not arguments.strip():
        return {}
    try:
        parsed: Any = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return {"_invalid_json": arguments}
    if parsed is None:
        return {}
    return parsed if isinstance(parsed, dict) else {"_value": parsed}


def take_chat_limit(rest: JsonObject) -> Any:
    """Remove and return a chat client's token limit, by either name, from a copy of its request; None if there is none."""
    limit, older = rest.pop("max_completion_tokens", None), rest.pop("max_tokens", None)
    return older if limit is None else limit


def user_id(value: str) -> str:
    """Return a user id that OpenAI accepts: a stable digest if it is too long."""
    return value if len(value) <= _MAX_USER else hashlib.sha256(value.encode()).hexdigest()


def effort_of_budget(budget: object) -> str:
    """Return the effort nearest to a budget of thinking tokens."""
    if not isinstance(budget, int | float):
        return "medium"
    if budget < 4096:
        return "low"
    return "medium" if budget < 16384 else "high"


def budget_of_effort(effort: str, max_tokens: int) -> int | None:
    """Return the thinking tokens for an effort; None if they leave no room for an answer."""
    budget = min(_BUDGETS.get(effort, _BUDGETS["medium"]), max_tokens // 2)
    if budget >= _MIN_BUDGET:
        return budget
    return _MIN_BUDGET if max_tokens > _MIN_BUDGET else None
