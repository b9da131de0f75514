"""Successes without an answer in them, told from models that had nothing to say."""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject

_OF_AN_END: Final = 3
"""Tokens that a model may use up to say that it has nothing to say, as Anthropic documents for empty `end_turn` answers.

https://docs.claude.com/en/api/handling-stop-reasons
"""


def has_answer(api: str, body: JsonObject) -> bool:
    """Tell if a whole answer has a choice, content or output, or a reason to have none."""
    match api:
        case "chat_completions":
            return bool(body.get("choices")) or _says_nothing(body.get("usage"), "completion_tokens")
        case "messages":
            return bool(body.get("content")) or may_be_empty(body.get("stop_reason"), body.get("usage"))
        case "responses":
            is_whole = body.get("status") in (None, "completed")
            return bool(body.get("output")) or not is_whole or _says_nothing(body.get("usage"), "output_tokens")
    return True


def may_be_empty(stop_reason: object, usage: object) -> bool:
    """Tell if a message that ends like this need not say anything: refused, cut by a limit, or nothing was to be said."""
    return stop_reason not in (None, "end_turn") or _says_nothing(usage, "output_tokens")


def _says_nothing(usage: Any, name: str) -> bool:
    tokens = usage.get(name) if isinstance(usage, dict) else None
    return isinstance(tokens, int) and tokens <= _OF_AN_END
