"""Prepares the semantic rung: embeds the current configuration in the background, until it succeeds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from ext_proc.plan.plan import Plan
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent_pool import AgentPool
from ext_proc.routing.agents.semantic_rung import SemanticRung, SemanticRungFailed
from ext_proc.routing.semantic.model import EmbeddingModel
from process_log import get_logger

if TYPE_CHECKING:
    from ext_proc.routing.semantic.router import SemanticRouter

FIRST_DELAY_SECONDS: Final = 0.2
"""Initial delay: Envoy gets the egress listener just after ext_proc its configuration."""
LONGEST_DELAY_SECONDS: Final = 30.0

Sleep = Callable[[float], Awaitable[None]]


class SemanticKeeper:
    """Holds the rung of the current plan."""

    def __init__(self, *, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._router: SemanticRouter | None = None
        self._pools: tuple[AgentPool, ...] = ()
        self._egress: Egress | None = None
        self._changed = asyncio.Event()
        self._prepared = asyncio.Event()
        self._prepared.set()
        self._log = get_logger()

    def follow(self, plan: Plan, egress: Egress) -> SemanticRung | None:
        """Return the rung of a plan, which fails until it is ready; None if the plan has no embedding model."""
        if plan.embedding is None or find_spec("numpy") is None:
            if plan.embedding is not None:
                self._log.warning("semantic_rung_unavailable", missing="numpy", remedy="pip install 'plano-gateway[semantic]'")
            self._router = None
            return None
        if self._router is None or self._router.model != plan.embedding:
            self._router = _new_router(plan.embedding)
        self._pools, self._egress = tuple(_pools(plan)), egress
        self._prepared.clear()
        self._changed.set()
        return self._router

    async def run(self) -> None:
        """Prepare the followed plans until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            delay = FIRST_DELAY_SECONDS
            while not await self._prepare() and not self._changed.is_set():
                await self._sleep(delay)
                delay = min(2 * delay, LONGEST_DELAY_SECONDS)
            if not self._changed.is_set():
                self._prepared.set()

    async def prepared(self) -> None:
        """Wait until all followed plans are prepared."""
        await self._prepared.wait()

    async def _prepare(self) -> bool:
        if self._router is None or self._egress is None or not self._pools:
            return True
        started = time.monotonic()
        try:
            await self._router.prepare(self._pools, self._egress)
        except SemanticRungFailed as failure:
            self._log.warning("semantic_rung_not_ready", reason=str(failure))
            return False
        self._log.info("semantic_rung_ready", pools=len(self._pools), seconds=round(time.monotonic() - started, 3))
        return True


def _pools(plan: Plan) -> Iterable[AgentPool]:
    pools = [listener.pool for listener in plan.listeners.values()]
    pools += [plan.preferences.pool] if plan.preferences else []
    return (pool for pool in pools if len(pool.ids) > 1)


def _new_router(model: EmbeddingModel) -> "SemanticRouter":
    # Imported here because numpy is an optional extra.
    from ext_proc.embedder.files import subject_vectors
    from ext_proc.routing.semantic.index import Subjects
    from ext_proc.routing.semantic.router import SemanticRouter
    from ext_proc.routing.semantic.subjects import SUBJECTS

    if not model.is_built_in:
        return SemanticRouter(model)
    vectors = subject_vectors()
    return SemanticRouter(model, Subjects(vectors[: len(SUBJECTS)], vectors[len(SUBJECTS) :]))
