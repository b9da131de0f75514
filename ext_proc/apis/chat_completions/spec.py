"""The ApiSpec of Chat Completions."""

from collections.abc import Mapping
from typing import Any, Final

from ext_proc.apis.api import Api, ApiSpec
from ext_proc.apis.chat_completions.usage import from_chat_completions
from ext_proc.apis.empty_answers import says_nothing
from ext_proc.apis.errors import ProviderError, openai_error
from ext_proc.codec.json_body import JsonObject


def has_content(event: JsonObject) -> bool:
    """See ApiSpec."""
    choices = event.get("choices")
    if not isinstance(choices, list):
        return False
    return any(isinstance(choice, Mapping) and _choice_has_content(choice) for choice in choices)


def _choice_has_content(choice: Mapping[str, Any]) -> bool:
    if choice.get("finish_reason") or choice.get("text"):
        return True
    delta = choice.get("delta")
    return isinstance(delta, Mapping) and any(value for name, value in delta.items() if name != "role")


def _has_answer(body: JsonObject) -> bool:
    return bool(body.get("choices")) or says_nothing(body.get("usage"), "completion_tokens")


def chat_failure(error: ProviderError, _number: int = 0) -> tuple[JsonObject, ...]:
    """Return a failed chat stream's last event. No [DONE] follows, because it would signal success."""
    return ({"error": openai_error(error)},)


CHAT_COMPLETIONS: Final = ApiSpec(
    api=Api.CHAT_COMPLETIONS,
    path="/v1/chat/completions",
    serves_agents=True,
    conversation="messages",
    read_usage=from_chat_completions,
    has_content=has_content,
    has_answer=_has_answer,
    failure=chat_failure,
)
