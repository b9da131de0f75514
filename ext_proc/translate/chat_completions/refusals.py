"""Fields of a Chat Completions request that an upstream without the feature cannot honour, unless they ask for nothing."""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import unsupported

REFUSED: Final[dict[str, tuple[Any, ...]]] = {
    "n": (None, 1),
    "logprobs": (None, False),
    "audio": (None,),
    "modalities": (None, ["text"], []),
    "functions": (None, []),
    "function_call": (None, "auto", "none"),
    "web_search_options": (None,),
    "moderation": (None,),
}
"""Field -> values that ask for nothing."""

_OWN: Final = ("audio", "function_call")


def refuse_history(message: JsonObject, where: str, api: str) -> None:
    """Raise for what an assistant's message holds that only OpenAI can read, or none but old models."""
    for name in _OWN:
        if message.get(name) is not None:
            raise unsupported(f"{where}.{name}", api)
