"""The Egress port with metrics: durations and outcomes of calls to filters, the orchestrator and the embedding model."""

import time
from collections.abc import Mapping

from ext_proc.plan.plan import Plan
from ext_proc.ports import Egress, EgressResponse
from ext_proc.telemetry.metrics import Metrics


class MeteredEgress:
    """Forwards calls, and records those to the filters and models of one plan."""

    def __init__(self, egress: Egress, plan: Plan, metrics: Metrics) -> None:
        self._egress = egress
        self._metrics = metrics
        self._embedding = plan.embedding.route if plan.embedding else None
        self._filters = {item.route: item.id for item in plan.filters.values()}

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        """See `ports.Egress.post`."""
        started = time.perf_counter()
        response = await self._egress.post(route, path, headers=headers, body=body, timeout_seconds=timeout_seconds)
        seconds = time.perf_counter() - started
        filter_id = self._filters.get(route)
        if route == self._embedding:
            self._metrics.observe_embedding(_outcome(response), seconds)
        elif filter_id is None:
            self._metrics.observe_orchestrator(_outcome(response), seconds)
        else:
            self._metrics.observe_filter(filter_id, _outcome(response), seconds)
        return response


def _outcome(response: EgressResponse) -> str:
    if response.timed_out:
        return "timeout"
    if response.unreachable:
        return "unreachable"
    return f"{response.status // 100}xx" if 200 <= response.status <= 599 else "invalid"
