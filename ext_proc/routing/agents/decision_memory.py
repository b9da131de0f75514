"""A worker's cache of orchestrator decisions: it saves calls, and tells which agent gave earlier answers.

Conversations are stored as digests. An evicted entry only costs another call, or the name of an earlier agent.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Final

from ext_proc.apis.conversation import Conversation, Turn
from ext_proc.routing.agents.agent import Orchestrator
from ext_proc.routing.agents.agent_pool import AgentPool
from ext_proc.routing.agents.orchestrator import Named

MOST_CONVERSATIONS: Final = 4_096


class DecisionMemory:
    """Caches decisions of the newest conversations."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: OrderedDict[bytes, tuple[float, Named]] = OrderedDict()

    def recall(self, orchestrator: Orchestrator, pool: AgentPool, conversation: Conversation) -> Named | None:
        """Return the decision for the same conversation, unless it has expired."""
        if not orchestrator.cache_seconds:
            return None
        *_, key = _keys(orchestrator, pool, conversation)
        said = self._said.get(key)
        return said[1] if said and self._clock() - said[0] <= orchestrator.cache_seconds else None

    def remember(self, orchestrator: Orchestrator, pool: AgentPool, conversation: Conversation, named: Named) -> None:
        """Cache a decision, if it can be needed."""
        if not orchestrator.cache_seconds and not orchestrator.tells_earlier:
            return
        *_, key = _keys(orchestrator, pool, conversation)
        self._said[key] = self._clock(), named
        self._said.move_to_end(key)
        if len(self._said) > MOST_CONVERSATIONS:
            self._said.popitem(last=False)

    def with_names(self, orchestrator: Orchestrator, pool: AgentPool, conversation: Conversation) -> Conversation:
        """Prefix answers by the id of their agent, if the client or this cache knows it."""
        before = b""
        turns: list[Turn] = []
        for turn, key in zip(conversation, _keys(orchestrator, pool, conversation), strict=True):
            name = turn.name if turn.name in pool.known else ""
            if turn.role == "assistant" and not name and before in self._said:
                name = next(iter(self._said[before][1].names), "")
            turns.append(Turn(turn.role, f"[{name}] {turn.text}") if name else turn)
            before = key
        return tuple(turns)


def _keys(orchestrator: Orchestrator, pool: AgentPool, conversation: Conversation) -> Iterator[bytes]:
    """Yield a digest for each turn: of the conversation up to it, the orchestrator and the candidates."""
    digest = blake2b(repr((orchestrator.model, orchestrator.api, orchestrator.threshold)).encode(), digest_size=16)
    digest.update(pool.routes.encode(errors="replace"))
    for turn in conversation:
        text = turn.text.encode(errors="replace")
        digest.update(f"\0{turn.role}\0{len(text)}\0".encode() + text)
        yield digest.digest()
