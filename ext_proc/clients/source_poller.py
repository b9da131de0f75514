"""Polls the sources of prices and latencies through Envoy, in the background.

The last valid values of a source stay until newer ones arrive. A failed or invalid answer is
logged and counted, and the source is polled again soon.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from ext_proc.plan.plan import Plan
from ext_proc.ports import EgressResponse, Fetch
from ext_proc.routing.models.measures import Known, Measures
from ext_proc.routing.sources.feeds import UnreadableFeed, read_latencies, read_prices
from ext_proc.routing.sources.source import Source, SourceKind
from ext_proc.telemetry.source_metrics import SourceMetrics
from process_log import get_logger

FIRST_DELAY_SECONDS: Final = 0.5
"""Initial delay: Envoy gets the egress listener just after ext_proc its configuration."""
TIMEOUT_SECONDS: Final = 30.0
LONGEST_DELAY_SECONDS: Final = 60.0
"""Delay after a failed poll."""

Sleep = Callable[[float], Awaitable[None]]


class SourceKeeper:
    """Polls the sources of the current plan."""

    def __init__(self, measures: Measures, metrics: SourceMetrics, *, sleep: Sleep = asyncio.sleep) -> None:
        self._measures = measures
        self._metrics = metrics
        self._sleep = sleep
        self._plan: Plan | None = None
        self._fetch: Fetch | None = None
        self._changed = asyncio.Event()
        self._log = get_logger()

    def follow(self, plan: Plan, fetch: Fetch) -> None:
        """Poll the sources of a plan from now on; values of other sources are dropped."""
        previous, self._plan = self._plan, plan
        if previous is not None and previous.sources == plan.sources and self._fetch is fetch:
            return
        kinds = {source.kind for source in plan.sources}
        if SourceKind.COST not in kinds:
            self._measures.prices = Known({})
        if SourceKind.LATENCY not in kinds:
            self._measures.latencies = Known({})
        self._fetch = fetch
        self._changed.set()

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            self._changed.clear()
            async with asyncio.TaskGroup() as tasks:
                sources = self._plan.sources if self._plan else ()
                asking = [tasks.create_task(self._keep(source)) for source in sources]
                await self._changed.wait()
                for task in asking:
                    task.cancel()

    async def _keep(self, source: Source) -> None:
        delay = FIRST_DELAY_SECONDS
        while True:
            await self._sleep(delay)
            if await self._refresh(source):
                if not source.interval_seconds:
                    return
                delay = source.interval_seconds
            else:
                delay = min(max(2 * delay, 1.0), source.interval_seconds or LONGEST_DELAY_SECONDS, LONGEST_DELAY_SECONDS)

    async def _refresh(self, source: Source) -> bool:
        assert self._fetch is not None, "sources come with the way to ask them"
        answer = await self._fetch.get(
            source.route, source.path, headers={"accept": "application/json"}, timeout_seconds=TIMEOUT_SECONDS
        )
        outcome = _outcome(answer)
        if outcome == "ok":
            try:
                count = self._learn(source, answer.body)
            except UnreadableFeed as error:
                outcome = "unreadable"
                self._log.warning("source_failed", source=source.kind, outcome=outcome, detail=str(error))
            else:
                self._log.info("source_refreshed", source=source.kind, entries=count, models_without=self._unknown(source))
        else:
            self._log.warning("source_failed", source=source.kind, outcome=outcome, status=answer.status)
        self._metrics.record(source.kind, outcome, time.time())
        return outcome == "ok"

    def _learn(self, source: Source, body: bytes) -> int:
        if source.kind is SourceKind.LATENCY:
            latencies = read_latencies(body)
            self._measures.latencies = Known(latencies)
            return len(latencies)
        prices = read_prices(source.feed, body, source.aliases)
        self._measures.prices = Known(prices)
        return len(prices)

    def _unknown(self, source: Source) -> list[str]:
        """Return the models that the source should rank but does not know."""
        preferences = self._plan.preferences.by_name.values() if self._plan and self._plan.preferences else ()
        measure = self._measures.cost if source.kind is SourceKind.COST else self._measures.latency
        ranked = (model for preference in preferences if preference.prefer == source.policy for model in preference.models)
        return sorted({model.name for model in ranked if measure(model) is None})


def _outcome(answer: EgressResponse) -> str:
    if answer.timed_out:
        return "timeout"
    if answer.unreachable:
        return "unreachable"
    return "ok" if 200 <= answer.status < 300 else "status"
