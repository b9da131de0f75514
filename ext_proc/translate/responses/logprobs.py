"""Logprobs: both of OpenAI's APIs have the same entries, at a choice or at a text part."""

from typing import Final

from ext_proc.codec.json_body import JsonObject

INCLUDE: Final = "message.output_text.logprobs"
"""In `include` of a Responses request: asks for them."""


def wants_logprobs(request: JsonObject) -> bool:
    """Whether a Responses request asks for them."""
    include = request.get("include")
    return (isinstance(include, list) and INCLUDE in include) or bool(request.get("top_logprobs"))


def of_choice(choice: JsonObject) -> list[JsonObject]:
    """Return the entries of a choice, or of a chunk's."""
    told = choice.get("logprobs")
    return of_part({"logprobs": told.get("content")}) if isinstance(told, dict) else []


def of_part(part: JsonObject) -> list[JsonObject]:
    """Return the entries of a part of text, or of a delta."""
    entries = part.get("logprobs")
    return entries if isinstance(entries, list) else []


def for_choice(entries: list[JsonObject]) -> JsonObject | None:
    """Return them as a choice has them; None if there are none."""
    return {"content": entries, "refusal": None} if entries else None
