"""The ApiSpec of Messages."""

from collections.abc import Mapping
from typing import Any, Final

from ext_proc.apis.api import Api, ApiSpec
from ext_proc.apis.empty_answers import says_nothing
from ext_proc.apis.errors import ProviderError, anthropic_error
from ext_proc.apis.messages.usage import from_messages
from ext_proc.codec.json_body import JsonObject


def has_content(event: JsonObject) -> bool:
    """See ApiSpec."""
    kind = event.get("type")
    if kind == "content_block_start":
        block = event.get("content_block")
        return isinstance(block, Mapping) and block.get("type") not in ("text", "thinking")
    if kind == "message_delta":
        delta = event.get("delta")
        return _may_be_empty(delta.get("stop_reason") if isinstance(delta, Mapping) else None, event.get("usage"))
    return kind in ("content_block_delta", "content_block_stop")


def _has_answer(body: JsonObject) -> bool:
    return bool(body.get("content")) or _may_be_empty(body.get("stop_reason"), body.get("usage"))


def _may_be_empty(stop_reason: object, usage: Any) -> bool:
    """Whether a message with this stop reason may be empty: refused, limited, or ended by the model."""
    return stop_reason not in (None, "end_turn") or says_nothing(usage, "output_tokens")


def messages_failure(error: ProviderError, _number: int = 0) -> tuple[JsonObject, ...]:
    """Return a failed message stream's last event."""
    return ({"type": "error", "error": anthropic_error(error)},)


MESSAGES: Final = ApiSpec(
    api=Api.MESSAGES,
    path="/v1/messages",
    serves_agents=True,
    shape="anthropic",
    conversation="messages",
    instructions="system",
    read_usage=from_messages,
    # Counts of message_delta are totals; missing ones keep the value of message_start.
    adds_up_usage=True,
    has_content=has_content,
    has_answer=_has_answer,
    failure=messages_failure,
)
