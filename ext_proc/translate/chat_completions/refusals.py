"""Fields of a Chat Completions request that an upstream without the feature cannot honour, unless they ask for nothing."""

from collections.abc import Container
from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import unsupported

_NOTHING: Final[dict[str, tuple[Any, ...]]] = {
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

REFUSED: Final = frozenset(_NOTHING)


def refuse_history(message: JsonObject, where: str, api: str) -> None:
    """Raise for what an assistant's message holds that only OpenAI can read, or none but old models."""
    for name in _OWN:
        if message.get(name) is not None:
            raise unsupported(f"{where}.{name}", api)


def refuse(body: JsonObject, api: str, *, carried: Container[str] = ()) -> None:
    """Raise for the first field that asks for something that `api` has not, those apart that it has."""
    for name, harmless in _NOTHING.items():
        if body.get(name) not in harmless and name not in carried:
            raise unsupported(name, api)
