"""Splits an agent's description into passages short enough to compare with a question."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ext_proc.routing.agents.profile import read_passages, telling_ids
from ext_proc.routing.agents.words import stem_of, words_of

MAX_PASSAGES: Final = 64
"""Maximum of passages per agent: more add nothing and cost memory."""

_CLAUSE_END: Final = re.compile(r"[,;:]|\s-\s|\band\b|\bor\b")
_EMPTY: Final = re.compile(r"(?:for )?examples?|e\.?g|capabilities|such as", re.IGNORECASE)
_TITLE: Final = re.compile(r"\b(?:agent|assistant|bot|expert|service)\b", re.IGNORECASE)
"""Meaningless suffixes of ids."""
_SPACES: Final = re.compile(r"\s+")


def passages_of(described: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return the passages of each agent, given as (id, description): name, sentences, clauses, examples, and the whole."""
    mentionable = telling_ids(agent_id for agent_id, _ in described)
    return [tuple(dict.fromkeys(_passages(*agent, mentionable)))[:MAX_PASSAGES] for agent in described]


def _passages(agent_id: str, description: str, mentionable: frozenset[str]) -> Iterator[str]:
    (name, _), *sentences = read_passages(agent_id, description, mentionable)
    yield _TITLE.sub("", name.lower()).strip() or name.lower()
    read = [(_tidy(sentence), examples) for sentence, examples in sentences]
    for _, examples in read:
        yield from examples
    said = [sentence for sentence, _ in read if _says_something(sentence)]
    yield " ".join(said) or name
    for sentence in said:
        yield sentence
        clauses = [part for part in map(_tidy, _CLAUSE_END.split(sentence)) if _says_something(part)]
        if len(clauses) > 1:
            yield from clauses


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", text).strip(" .,:;-*")


def _says_something(text: str) -> bool:
    return not _EMPTY.fullmatch(text) and any(stem_of(word) for word in words_of(text))
