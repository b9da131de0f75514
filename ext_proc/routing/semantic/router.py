"""The semantic rung: caches the vectors of a configuration, and compares questions with them."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from ext_proc.apis.conversation import Conversation
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent_pool import AgentPool
from ext_proc.routing.agents.semantic_rung import Meant, SemanticRungFailed
from ext_proc.routing.semantic.embeddings import embed
from ext_proc.routing.semantic.index import Nearness, SemanticIndex, Subjects, Vectors
from ext_proc.routing.semantic.model import EmbeddingModel
from ext_proc.routing.semantic.passages import passages_of
from ext_proc.routing.semantic.reading import interpret, read
from ext_proc.routing.semantic.subjects import SUBJECTS
from protos.contract.headers import REQUEST_ID_HEADER, TRACEPARENT_HEADER, TRACESTATE_HEADER

LEXICAL_WORTH: Final = 0.2
"""Margin per point of the built-in router's score."""
MOST_LEXICAL: Final = 2.0
"""Points."""

_MAX_TEXTS: Final = 2_048
"""Maximum of cached question vectors: conversations repeat, and clients retry."""
_MAX_INDEXES: Final = 64
_MAX_PASSAGES: Final = 4_096
"""Maximum of passages of a listener: some ten seconds of the built-in model."""
_MAX_GUEST_PASSAGES: Final = 64
"""Maximum of passages of preferences in a request."""
_PREPARING_SECONDS: Final = 30.0
_TRACE_HEADERS: Final = (REQUEST_ID_HEADER, TRACEPARENT_HEADER, TRACESTATE_HEADER)

_Described = tuple[tuple[str, str], ...]


class SemanticRouter:
    """A SemanticRung over one embedding model."""

    def __init__(self, model: EmbeddingModel, subjects: Subjects | None = None) -> None:
        """Use precomputed vectors of the subjects, if there are any."""
        self.model = model
        self._subjects = subjects
        self._awaited: Collection[_Described] = ()
        """Pools of the configuration, which are prepared in the background."""
        self._indexes: OrderedDict[_Described, SemanticIndex] = OrderedDict()
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()

    async def prepare(self, pools: Iterable[AgentPool], egress: Egress) -> None:
        """Compute the vectors of these pools.

        Raises:
            SemanticRungFailed: embeddings are not available; computed vectors are kept.
        """
        choices = [pool for pool in pools if len(pool.ids) > 1]
        self._awaited = frozenset(pool.described for pool in choices)
        for pool in choices:
            if pool.described not in self._indexes:
                await self._build(pool, egress, _first_passages(pool, _MAX_PASSAGES), _PREPARING_SECONDS)

    async def choose(self, pool: AgentPool, conversation: Conversation, *, egress: Egress, headers: Mapping[str, str]) -> Meant:
        """See SemanticRung."""
        reading = read(conversation)
        if reading is None:
            return Meant((), "nothing was said")
        if self.model.is_built_in and not _is_latin(reading.latest):
            raise SemanticRungFailed("the embedding model does not know the script")
        index = await self._index(pool, egress)
        vectors = await self._embedded(reading.texts, egress, headers)
        nearness = {text: self._nearness(text, vector, index, pool) for text, vector in vectors.items()}
        return interpret(reading, pool.ids, nearness)

    def _nearness(self, text: str, vector: Vectors, index: SemanticIndex, pool: AgentPool) -> Nearness:
        lexical = np.array(pool.router.scores(text), dtype=np.float32)
        return index.nearness(vector, LEXICAL_WORTH * np.clip(lexical, -MOST_LEXICAL, MOST_LEXICAL))

    async def _index(self, pool: AgentPool, egress: Egress) -> SemanticIndex:
        index = self._indexes.get(pool.described)
        if index is None:
            if self._subjects is None or pool.described in self._awaited:
                raise SemanticRungFailed("descriptions are not embedded yet")
            passages = _first_passages(pool, _MAX_GUEST_PASSAGES)
            index = await self._build(pool, egress, passages, self.model.timeout_seconds)
        self._indexes.move_to_end(pool.described)
        return index

    async def _build(
        self, pool: AgentPool, egress: Egress, passages: Sequence[Sequence[str]], timeout_seconds: float
    ) -> SemanticIndex:
        subjects = self._subjects or await self._embed_subjects(egress)
        texts = list(dict.fromkeys(text for own in passages for text in own))
        vectors = await embed(self.model, texts, egress=egress, headers={}, timeout_seconds=timeout_seconds)
        row = {text: number for number, text in enumerate(texts)}
        index = await asyncio.to_thread(SemanticIndex, subjects, [vectors[[row[text] for text in own]] for own in passages])
        self._indexes[pool.described] = index
        self._forget_indexes()
        return index

    async def _embed_subjects(self, egress: Egress) -> Subjects:
        texts = [*(subject.title for subject in SUBJECTS), *(text for subject in SUBJECTS for text in subject.requests)]
        vectors = await embed(self.model, texts, egress=egress, headers={}, timeout_seconds=_PREPARING_SECONDS)
        self._subjects = await asyncio.to_thread(Subjects, vectors[: len(SUBJECTS)], vectors[len(SUBJECTS) :])
        return self._subjects

    def _forget_indexes(self) -> None:
        guests = [described for described in self._indexes if described not in self._awaited]
        for described in guests[: max(0, len(guests) - _MAX_INDEXES)]:
            del self._indexes[described]

    async def _embedded(self, texts: Sequence[str], egress: Egress, headers: Mapping[str, str]) -> dict[str, Vectors]:
        new = [text for text in texts if text not in self._vectors]
        found = {text: self._vectors[text] for text in texts if text in self._vectors}
        if new:
            trace = {name: headers[name] for name in _TRACE_HEADERS if name in headers}
            found |= zip(new, await embed(self.model, new, egress=egress, headers=trace), strict=True)
        for text, vector in found.items():
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
        while len(self._vectors) > _MAX_TEXTS:
            self._vectors.popitem(last=False)
        return found


def _first_passages(pool: AgentPool, most: int) -> list[tuple[str, ...]]:
    """Return the first passages of each agent, about `most` in all: name and examples come first."""
    few = max(1, most // len(pool.ids))
    return [own[:few] for own in passages_of(pool.described)]


def _is_latin(text: str) -> bool:
    """Whether a text is mostly in Latin script, on which the English model was trained."""
    if text.isascii():
        return True
    letters = [letter for letter in text if letter.isalpha()]
    return 2 * sum(letter < "\u0250" for letter in letters) >= len(letters)
