"""Fields of a Chat Completions request that are refused if the upstream lacks the feature, unless they have no effect."""

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
"""Field -> values without an effect."""

_OWN: Final = ("audio", "function_call")


def refuse_history(message: JsonObject, where: str, api: str) -> None:
    """Raise for parts of an assistant's message that only OpenAI, or only old models, can read."""
    for name in _OWN:
        if message.get(name) is not None:
            raise unsupported(f"{where}.{name}", api)
