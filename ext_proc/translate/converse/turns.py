"""The conversation in Converse's form: alternating turns, with results of parallel calls in the one turn after the calls.

Bedrock rejects blank texts, which are omitted. Documents must have unique names, and a text next to them.
"""

import re
from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.converse.blocks import cache_point

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9\s\-()\[\]]+")
_MAX_NAME: Final = 180
"""Names have at most 200 characters; the rest is for a suffix that makes them unique."""


class Turns:
    """Collects the system prompt and the messages of one request."""

    def __init__(self, *, caches: bool) -> None:
        self.system: list[JsonObject] = []
        self.messages: list[JsonObject] = []
        self.called: dict[str, None] = {}
        """Names of the tools that were called, in order."""
        self._caches = caches
        self._names: set[str] = set()

    def put(self, blocks: list[JsonObject], block: JsonObject, marker: object = None) -> None:
        """Add a block to those of a turn, with its cache point; a blank text is omitted."""
        text = block.get("text")
        if text is None or text.strip():
            blocks.append(block)
            if marker and self._caches:
                blocks.append(cache_point(marker))

    def add(self, role: str, blocks: list[JsonObject]) -> None:
        """Add blocks of one side, to its turn if that is the last one."""
        if not blocks:
            return
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"].extend(blocks)
        else:
            self.messages.append({"role": role, "content": blocks})

    def instruct(self, blocks: list[JsonObject]) -> None:
        """Add instructions: to the system prompt before the first turn, as a user's text afterwards."""
        if self.messages:
            self.add("user", [_quoted(block) for block in blocks])
        else:
            self.system.extend(blocks)

    def name(self, wanted: Any) -> str:
        """Return a document's name: unique, and of allowed characters."""
        given = wanted if isinstance(wanted, str) else ""
        plain = " ".join(_NOT_IN_NAMES.sub("-", given).split())[:_MAX_NAME].strip(" -") or "document"
        name, number = plain, 1
        while name.lower() in self._names:
            number += 1
            name = f"{plain} ({number})"
        self._names.add(name.lower())
        return name

    def finish(self, *, marker: object = None) -> None:
        """Return the turns in order; `marker` is one for the whole request."""
        if not self.messages and self.system:
            # Other APIs allow requests with instructions only; Converse requires a turn.
            self.messages.append({"role": "user", "content": self.system})
            self.system = []
        for message in self.messages:
            if message["role"] == "user":
                _results_first(message)
                _tell_of_documents(message["content"])
        last = self.messages[-1]["content"] if self.messages else []
        if last and self.messages[-1]["role"] == "assistant" and "text" in last[-1]:
            last[-1] = {"text": last[-1]["text"].rstrip()}  # Claude rejects it otherwise.
        if marker and self._caches and last and "cachePoint" not in last[-1]:
            last.append(cache_point(marker))


def _quoted(block: JsonObject) -> JsonObject:
    return {"text": f"<system>\n{block['text']}\n</system>"} if "text" in block else block


def _results_first(message: JsonObject) -> None:
    """Put tool results first in their turn, as Claude requires, each with its cache point."""
    content = message["content"]
    if len(content) == 1 or not any("toolResult" in block for block in content):
        return
    results: list[JsonObject] = []
    others: list[JsonObject] = []
    place = others
    for block in content:
        if "cachePoint" not in block:
            place = results if "toolResult" in block else others
        place.append(block)
    message["content"] = results + others


def _tell_of_documents(content: list[JsonObject]) -> None:
    documents = [block["document"]["name"] for block in content if "document" in block]
    if documents and not any("text" in block for block in content):
        content.append({"text": f"See {', '.join(documents)}."})
