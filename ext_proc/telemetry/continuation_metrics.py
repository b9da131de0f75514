"""Metric family of continued streams: labels are configured names and constant words."""

from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from ext_proc.continuation.transaction import Resumption
from ext_proc.telemetry import names


class ContinuationMetrics:
    """Counts who took up whose answer, in which way, and what became of it."""

    def __init__(self, count_error: Callable[[str, str], None], registry: CollectorRegistry = REGISTRY) -> None:
        self._count_error = count_error
        labels = ("from", "to", "method", "outcome")
        self._taken = Counter(names.CONTINUATIONS, "Streams taken up by another model", labels, registry=registry)

        self._parts = Counter(
            names.AGENT_PARTS, "Parts of answers that several agents gave", ("agent", "outcome"), registry=registry
        )

    def count_part(self, agent: str, outcome: str) -> None:
        """Count the part of one agent in an answer of several: `outcome` is a constant word."""
        self._parts.labels(agent, outcome).inc()

    def count_error(self, kind: str) -> None:
        """Count a failure of our own: `kind` is a constant word."""
        self._count_error("", kind)

    def record(self, resumptions: Resumption) -> None:
        """Count one attempt to go on that is over."""
        self._taken.labels(resumptions.from_model, resumptions.to_model, resumptions.method, resumptions.outcome).inc()
