"""JSON that is almost right: the documents of the golden files, with anything in the place of some of their values.

Chance alone seldom gets past the first check of a reader; one wrong value in a real document gets everywhere.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from hypothesis import strategies as st

from ext_proc.codec.sse import SseDecoder
from tests.kit.event_stream import encode_message
from tests.kit.golden import GOLDEN_ROOT, golden_inputs

ROOT = GOLDEN_ROOT / "translate"
LONGEST_WORD = 40
SHALLOW = 12
"""Levels of a document that hold what readers look at."""
TELLING = frozenset({"type", "role", "index", "name", "id", "ttl", "effort", "finish_reason", "stop_reason", "stopReason"})
"""Fields by which readers tell what they have before them: every second fault is in one of these."""
FAULTS = ("replaced", "wrapped", "moved", "gone")
DEEP = 260
"""More levels than orjson writes, fewer than it reads."""


@cache
def requests(client_api: str) -> list[Any]:
    """Return what clients of an API send."""
    found = [orjson.loads(path.read_bytes()) for path in _inputs("requests", f"{client_api}_over_*")]
    return [{name: value for name, value in body.items() if not name.startswith("$")} for body in found]


@cache
def answers(upstream_api: str) -> list[Any]:
    """Return what upstreams of an API answer."""
    return [orjson.loads(path.read_bytes()) for path in _inputs("responses", f"*_over_{upstream_api}")]


@cache
def streams(upstream_api: str) -> list[list[Any]]:
    """Return what upstreams of an API stream: the events of each stream."""
    return [list(_events(path)) for path in _inputs("streams", f"*_over_{upstream_api}")]


def dumps(value: Any) -> bytes:
    """Write JSON as deep as a peer may send it, which is deeper than orjson writes."""
    return json.dumps(value).encode()


def written(event: Any, api: str) -> bytes:
    """Write anything as an event of an API's streams."""
    if api != "converse":
        return b"data: " + (event.encode() if event == "[DONE]" else dumps(event)) + b"\n\n"
    [(kind, payload)] = list(event.items())[:1] if isinstance(event, dict) and event else [("contentBlockDelta", event)]
    word = "exception" if kind == "exception" else "event"
    return encode_message({":message-type": word, f":{word}-type": kind[:200]}, dumps(payload))


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the words of all APIs: names of fields, and values that are as short as words are."""
    apis = ("chat_completions", "messages", "responses", "converse")
    documents = [document for api in apis for document in (*requests(api), *answers(api), *streams(api))]
    return tuple(sorted({word for document in documents for word in _words(document) if len(word) <= LONGEST_WORD}))


def anything() -> st.SearchStrategy[Any]:
    """Return JSON of any shape, in the words of the APIs."""
    words = st.sampled_from(vocabulary())
    scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    return st.recursive(
        scalars | words | st.text(max_size=3) | st.builds(list) | st.builds(dict) | st.builds(_deep) | st.just(DEEP_TEXT),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
        max_leaves=8,
    )


@st.composite
def almost(draw: st.DrawFn, documents: list[Any]) -> Any:
    """Draw one of the documents, with up to four values replaced, wrapped, moved or taken out."""
    document = _copy(documents[draw(_below(len(documents)))])
    for _ in range(draw(_below(4)) + 1):
        places = list(_places(document))
        if not places:
            break
        telling = [place for place in places if place[1] in TELLING]
        holder, key = _one_of(telling or places if draw(st.booleans()) else places, draw)
        match draw(st.sampled_from(FAULTS)):
            case "replaced":
                holder[key] = draw(_ANYTHING)
            case "wrapped":
                holder[key] = [holder[key]]
            case "moved":
                other, at = _one_of(places, draw)
                holder[key] = _copy(other[at])
            case _:
                del holder[key]
    return document


def _one_of(places: list[tuple[Any, Any]], draw: st.DrawFn) -> tuple[Any, Any]:
    # Hypothesis would look at all that is sampled from; these are thousands, and new ones each time.
    return places[draw(_below(len(places)))]


def _below(number: int) -> st.SearchStrategy[int]:
    return st.integers(0, number - 1)


def _deep() -> Any:
    value: Any = {}
    for _ in range(DEEP // 2):
        value = {"input": [value]}
    return value


DEEP_TEXT = dumps(_deep()).decode()


def _inputs(aspect: str, folders: str) -> list[Path]:
    return [path for folder in sorted((ROOT / aspect).glob(folders)) for path in golden_inputs(folder)]


def _events(path: Path) -> Iterator[Any]:
    if path.suffix == ".jsonl":
        yield from map(orjson.loads, path.read_bytes().splitlines())
        return
    for event in SseDecoder().feed(path.read_bytes()):
        try:
            yield orjson.loads(event.data or b"")
        except orjson.JSONDecodeError:
            yield (event.data or b"").decode()


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for key, inner in _members(value):
        yield from _words(key)
        yield from _words(inner)


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    for key, inner in _members(value) if depth < SHALLOW else ():
        yield value, key
        yield from _places(inner, depth + 1)


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _members(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []


_ANYTHING = anything()
