"""The filters: masking of personal data, and what stands before a retrieval agent."""

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from demos.patterns.parts.conversation import last_said, words

HANDBOOK = (
    "Everybody gets 30 days of paid time off each year.",
    "Travel expenses are refunded within two weeks.",
)
ABBREVIATIONS = {"PTO": "paid time off"}
_PERSONAL = {"EMAIL": r"[\w.+-]+@[\w-]+\.[\w.-]*\w", "PHONE": r"\+\d[\d -]{6,14}\d"}
_FORBIDDEN = re.compile(r"ignore (all |your )*(previous )?instructions", re.IGNORECASE)
_MAX_REQUESTS = 10_000


class Refused(Exception):
    """The client gets this message, and no answer."""


class Masker:
    """Replaces e-mail addresses and telephone numbers by placeholders, and puts them back in the answer to the same request."""

    def __init__(self) -> None:
        self._hidden: OrderedDict[str, dict[str, str]] = OrderedDict()
        """Request id -> placeholder -> what it stands for; the oldest requests are forgotten."""

    def mask(self, body: Any, request_id: str) -> Any:
        """Return the body without personal data in any of its texts."""
        hidden = self._hidden.setdefault(request_id, {})
        while len(self._hidden) > _MAX_REQUESTS:
            self._hidden.popitem(last=False)
        return _with_texts(body, lambda text: _masked(text, hidden))

    def unmask(self, answer: str, request_id: str) -> str:
        """Return an answer, JSON or an event, with the personal data: it has no character that JSON escapes."""
        for placeholder, value in self._hidden.get(request_id, {}).items():
            answer = answer.replace(placeholder, value)
        return answer


def guard(body: Any) -> Any:
    """Refuse attempts to change the agent's instructions."""
    if _FORBIDDEN.search(last_said(body["messages"], "user")):
        raise Refused("This assistant keeps its instructions.")
    return body


def rewrite(body: Any) -> Any:
    """Write abbreviations out."""
    pattern = re.compile(r"\b(" + "|".join(ABBREVIATIONS) + r")\b")
    return {
        **body,
        "messages": _with_texts(body["messages"], lambda text: pattern.sub(lambda short: ABBREVIATIONS[short[0]], text)),
    }


def add_context(body: Any) -> Any:
    """Add the passage of the handbook that shares most words with the question, if there is one."""
    question = words(last_said(body["messages"], "user"))
    passage = max(HANDBOOK, key=lambda text: len(words(text) & question))
    if not words(passage) & question:
        return body
    return {**body, "messages": [{"role": "system", "content": passage}, *body["messages"]]}


def _masked(text: str, hidden: dict[str, str]) -> str:
    for kind, pattern in _PERSONAL.items():
        text = re.sub(pattern, partial(_placeholder, kind, hidden), text, flags=re.ASCII)
    return text


def _placeholder(kind: str, hidden: dict[str, str], found: re.Match[str]) -> str:
    known = next((name for name, value in hidden.items() if value == found[0]), f"[{kind}_{len(hidden) + 1}]")
    hidden[known] = found[0]
    return known


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_with_texts(item, change) for item in value]
    return {name: _with_texts(item, change) for name, item in value.items()} if isinstance(value, dict) else value


FILTERS: dict[str, Callable[[Any], Any]] = {"guard": guard, "rewrite": rewrite, "add_context": add_context}
