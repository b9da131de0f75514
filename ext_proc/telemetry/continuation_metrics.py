"""Metric family of resumed streams. Labels are configured names and constants."""

from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from ext_proc.continuation.transaction import Resumption
from ext_proc.telemetry import names


class ContinuationMetrics:
    """Counts attempts to resume answers, by models, method and outcome."""

    def __init__(self, count_error: Callable[[str, str], None], registry: CollectorRegistry = REGISTRY) -> None:
        self._count_error = count_error
        labels = ("from", "to", "method", "outcome")
        self._taken = Counter(names.CONTINUATIONS, "Streams taken up by another model", labels, registry=registry)

        self._parts = Counter(
            names.AGENT_PARTS, "Parts of answers that several agents gave", ("agent", "outcome"), registry=registry
        )

    def count_part(self, agent: str, outcome: str) -> None:
        """Count the part of one agent in an answer of several; `outcome` is a constant."""
        self._parts.labels(agent, outcome).inc()

    def count_error(self, kind: str) -> None:
        """Count an internal failure; `kind` is a constant."""
        self._count_error("", kind)

    def record(self, resumptions: Resumption) -> None:
        """Count one finished attempt to resume."""
        self._taken.labels(resumptions.from_model, resumptions.to_model, resumptions.method, resumptions.outcome).inc()
