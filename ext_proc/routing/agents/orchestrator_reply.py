"""Parses an orchestrator's reply, as tolerantly as is safe: only known names are taken from it.

Models should reply `{"route": ["a", "b"]}`, and send that, or it in a code fence, between sentences, with single quotes, as a
bare list, a bare name, or truncated. The parser tries, in this order:

1. the reply as strict JSON;
2. the last `route: ...` in it, with any quotes, complete or truncated;
3. a bare list;
4. names in quotes;
5. a single name in plain text.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final

import orjson

_MAX_REPLY: Final = 20_000
"""Maximum of characters that are parsed, so that a long reply does not block a worker."""

_ROUTE: Final = re.compile(
    r"""["'`]?\broutes?["'`]?\s*[:=]\s*(?:(?P<nothing>null|None)\b|\[(?P<list>[^\[\]{}]*)(?P<end>\]?)|(?P<one>["'`][^\n]*))"""
)
_BARE_LIST: Final = re.compile(r"(?:```\w*\s*)?\[(?P<list>[^\[\]{}]*)\]\W*")
_QUOTED: Final = re.compile(r""""([^"\n]*)"|'([^'\n]*)'|`([^`\n]*)`""")
_SEPARATORS: Final = re.compile(r"[,\n]")
_THOUGHTS_END: Final = "</think>"


class UnreadableReply(Exception):
    """The reply names no routes, and does not say that none fits."""


def parse_reply(content: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the known names in the order in which the reply names them, each once; empty if the model says that nothing fits.

    Raises:
        UnreadableReply: the reply cannot be understood.
    """
    text = content[-_MAX_REPLY:].rpartition(_THOUGHTS_END)[2].replace("\\n", "\n").strip()
    if not text:
        return ()
    strict = _strict(text, known)
    if strict is not None:
        return strict
    routes = list(_ROUTE.finditer(text))
    if routes:
        return _from_route(routes[-1], known)
    if bare := _BARE_LIST.fullmatch(text):
        return _known(_entries(bare["list"]), known)
    return _mentioned(text, known)


def _strict(text: str, known: Collection[str]) -> tuple[str, ...] | None:
    try:
        value = orjson.loads(text)
    except ValueError:
        return None
    if value is None or value == {}:
        return ()
    named = value.get("route", value) if isinstance(value, dict) else value
    if not named and not isinstance(named, (bool, int, float)):
        return ()
    if isinstance(named, str):
        return _known(_entries(named), known) if isinstance(value, dict) or named in known else None
    if isinstance(named, list):
        return _known((name for name in named if isinstance(name, str)), known)
    return None


def _from_route(found: re.Match[str], known: Collection[str]) -> tuple[str, ...]:
    if found["nothing"]:
        return ()
    if found["one"]:
        return _known(_quoted(found["one"]), known)
    names = _known(_entries(found["list"]), known)
    if not names and not found["end"]:
        raise UnreadableReply("cut off before the first name")
    return names


def _mentioned(text: str, known: Collection[str]) -> tuple[str, ...]:
    if names := _known(_quoted(text), known):
        return names
    # A name that is an ordinary word ("support") only counts if it is the whole reply.
    mentioned = [name for name in known if _stands_alone(name, text) and (not name.isalpha() or len(text) <= len(name) + 2)]
    if len(mentioned) == 1:
        return (mentioned[0],)
    raise UnreadableReply("names no route, or several in plain text")


def _stands_alone(name: str, text: str) -> bool:
    return name in text and re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _entries(inside: str) -> Iterable[str]:
    return (entry.strip("\"'` \t\r") for entry in _SEPARATORS.split(inside))


def _quoted(text: str) -> Iterable[str]:
    return ("".join(groups) for groups in _QUOTED.findall(text))


def _known(names: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for entry in names if (name := entry.strip()) in known))
