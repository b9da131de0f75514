"""What the orchestrator has said to conversations, as one worker remembers it: to ask less, and to tell it who answered before.

Conversations are kept as digests. Forgetting is harmless: then the orchestrator is asked again, or told less.
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
    """Remembers the newest conversations."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: OrderedDict[bytes, tuple[float, Named]] = OrderedDict()

    def recall(self, orchestrator: Orchestrator, pool: AgentPool, conversation: Conversation) -> Named | None:
        """Return what was said to the same conversation, unless it is older than the orchestrator's cache may be."""
        if not orchestrator.cache_seconds:
            return None
        *_, key = _keys(orchestrator, pool, conversation)
        said = self._said.get(key)
        return said[1] if said and self._clock() - said[0] <= orchestrator.cache_seconds else None

    def remember(self, orchestrator: Orchestrator, pool: AgentPool, conversation: Conversation, named: Named) -> None:
        """Keep what was said, if anybody will want to know."""
        if not orchestrator.cache_seconds and not orchestrator.tells_earlier:
            return
        *_, key = _keys(orchestrator, pool, conversation)
        self._said[key] = self._clock(), named
        self._said.move_to_end(key)
        if len(self._said) > MOST_CONVERSATIONS:
            self._said.popitem(last=False)

    def with_names(self, orchestrator: Orchestrator, pool: AgentPool, conversation: Conversation) -> Conversation:
        """Put the id of the agent that gave an answer before it, where the client or this memory knows."""
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
    """Yield a digest for each turn: of the conversation up to it, and of who is asked about whom."""
    digest = blake2b(repr((orchestrator.model, orchestrator.api, orchestrator.threshold)).encode(), digest_size=16)
    digest.update(pool.routes.encode(errors="replace"))
    for turn in conversation:
        text = turn.text.encode(errors="replace")
        digest.update(f"\0{turn.role}\0{len(text)}\0".encode() + text)
        yield digest.digest()
