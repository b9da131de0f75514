"""Records the usage of a session's answers: the length of the conversation is the cost of changing its model."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ext_proc.attempt.record import COMPLETED, AttemptRecord
from ext_proc.routing.affinity.sessions import SessionStore, decode_binding

_MOST_WAITING: Final = 1_000
"""Maximum of queued records: later answers repeat the information."""


class SessionUsage:
    """Records usage after the end of an answer, so that no request waits for it."""

    def __init__(self, store: Callable[[], SessionStore]) -> None:
        """`store` is called for each record: another configuration may use another store."""
        self._store = store
        self._waiting: asyncio.Queue[tuple[str, str, int]] = asyncio.Queue(_MOST_WAITING)

    def note(self, record: AttemptRecord) -> None:
        """Record a successful answer of a session that needs it."""
        if record.session and record.outcome == COMPLETED and record.usage.input_tokens and not self._waiting.full():
            self._waiting.put_nowait((record.session, record.model, record.usage.input_tokens))

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._write(*await self._waiting.get())

    async def _write(self, key: str, model: str, tokens: int) -> None:
        sessions = self._store()
        stored = await sessions.read(key)
        binding = decode_binding(stored) if stored is not None else None
        # After a failover another provider has cached the conversation.
        if binding is not None and binding.anchor_model == model:
            noted = replace(binding, cached_tokens=tokens).used(model, binding.last_used, tokens)
            await sessions.update(key, noted.encode())
