"""Routing preferences: kinds of tasks, and the models for each."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from ext_proc.routing.agents.agent_pool import AgentPool, compile_agents
from ext_proc.routing.models.model import Model
from ext_proc.routing.models.resolve import ResolvedModel

Prefer = Literal["", "cheapest", "fastest"]
"""How the models of a preference are ranked; empty for the declared order."""

_Texts = tuple[tuple[str, str], ...]
"""Names and descriptions."""

PREFER_WORDS: frozenset[str] = frozenset(get_args(Prefer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A kind of task."""

    name: str
    description: str
    models: tuple[ResolvedModel, ...]
    """In the declared order; at least one."""
    prefer: Prefer = ""
    starts: Mapping[str, Model] = field(default_factory=dict)
    """Models with routes to the preference's chains, by name."""

    def start(self, ranked: Sequence[ResolvedModel]) -> ResolvedModel:
        """Return the first of ranked models, with routes that have the others as fallbacks if there are any."""
        first = ranked[0]
        return ResolvedModel(self.starts.get(first.name, first.model), first.upstream_model, first.reason)


@dataclass(frozen=True, slots=True)
class Preferences:
    """The preferences of one request."""

    by_name: Mapping[str, Preference]
    """In the declared order."""
    pool: AgentPool
    is_configured: bool = True
    """False for preferences of a request, whose names are the client's."""


@dataclass(frozen=True, slots=True)
class _Described:
    """A preference as a candidate for routers."""

    id: str
    description: str
    is_default: bool = False


def compile_preferences(preferences: Sequence[Preference], *, is_configured: bool = True) -> Preferences:
    """Compile preferences with different names. The same preferences in many requests are compiled once."""
    by_name = {preference.name: preference for preference in preferences}
    pool = _POOLS.get(tuple((preference.name, preference.description) for preference in preferences))
    return Preferences(by_name, pool, is_configured)


class _Pools:
    """A cache of the latest pools, bounded by the characters of their texts: each takes about 90 times as many bytes."""

    def __init__(self, max_characters: int) -> None:
        self._max = max_characters
        self._size = 0
        self._by_texts: OrderedDict[_Texts, AgentPool] = OrderedDict()

    def get(self, texts: _Texts) -> AgentPool:
        """Return the pool of names and descriptions, compiled if it is not cached."""
        pool = self._by_texts.get(texts)
        if pool is None:
            pool = self._by_texts[texts] = compile_agents([_Described(*text) for text in texts])
            self._size += _characters(texts)
            while self._size > self._max and len(self._by_texts) > 1:
                self._size -= _characters(self._by_texts.popitem(last=False)[0])
        self._by_texts.move_to_end(texts)
        return pool


def _characters(texts: _Texts) -> int:
    return sum(len(name) + len(description) for name, description in texts)


_POOLS: Final = _Pools(64 * 1024)
