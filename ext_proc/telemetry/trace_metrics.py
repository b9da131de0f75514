"""Metric family of ext_proc's own spans."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from ext_proc.telemetry import names
from ext_proc.tracing.exporter import Outcome


class TraceMetrics:
    """Counts what became of spans."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._spans = Counter(names.SPANS, "Spans of ext_proc", ("outcome",), registry=registry)

    def count(self, outcome: Outcome, spans: int) -> None:
        """Count spans that were sent, that the collector rejected or did not take, or that there was no place for."""
        self._spans.labels(outcome).inc(spans)
