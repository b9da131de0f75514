"""Failovers between models, from ext_proc's metrics: only ext_proc knows the reasons."""

from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from control_plane.supervisor.upstreams import Failover

FAILOVERS: Final = "plano_failovers_total"


async def ask_ext_proc(client: httpx.AsyncClient, metrics_url: str) -> tuple[Failover, ...] | None:
    """Return failovers between models, the most frequent first; None if ext_proc does not answer."""
    try:
        answer = await client.get(metrics_url)
        answer.raise_for_status()
        return read_failovers(answer.text)
    except (httpx.HTTPError, ValueError):  # not there, or no metrics
        return None


def read_failovers(metrics: str) -> tuple[Failover, ...]:
    """Extract one metric from possibly tens of thousands of lines."""
    lines = (line for line in metrics.splitlines(keepends=True) if line.startswith(f"{FAILOVERS}{{"))
    found = (sample for family in text_string_to_metric_families("".join(lines)) for sample in family.samples)
    failovers = (
        Failover(from_model=s.labels["from"], to_model=s.labels["to"], reason=s.labels["reason"], count=int(s.value))
        for s in found
    )
    return tuple(sorted(failovers, key=lambda failover: (-failover.count, failover.from_model, failover.to_model)))
