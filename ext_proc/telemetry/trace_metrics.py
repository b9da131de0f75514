"""Metric family of ext_proc's own spans."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from ext_proc.telemetry import names
from ext_proc.tracing.exporter import Outcome


class TraceMetrics:
    """Counts spans by outcome."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._spans = Counter(names.SPANS, "Spans of ext_proc", ("outcome",), registry=registry)

    def count(self, outcome: Outcome, spans: int) -> None:
        """Count spans that were sent, rejected, failed or dropped."""
        self._spans.labels(outcome).inc(spans)
