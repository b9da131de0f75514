"""Metric families of signals. Labels are configured names and constants."""

from functools import lru_cache

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from ext_proc.decide.request import Record
from ext_proc.signals.report import Report
from ext_proc.telemetry import names


class SignalMetrics:
    """Counts signals, each with the request that shows it first, and the quality of conversations per request."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        labels = ("listener", "agent", "model")
        signals = Counter(names.SIGNALS, "Signals in conversations", (*labels, "type"), registry=registry)
        conversations = Counter(
            names.CONVERSATIONS, "Requests by how good their conversation is", (*labels, "quality"), registry=registry
        )
        keep = lru_cache(maxsize=None)  # Bounded by the combinations of configured names and constants.
        self._signals = keep(lambda *labels: signals.labels(*labels))
        self._conversations = keep(lambda *labels: conversations.labels(*labels))

    def record(self, record: Record, report: Report) -> None:
        """Count the signals of a conversation that are new in this request."""
        self._conversations(record.listener, record.agent, record.model, report.quality).inc()
        for signal in report.new_signals:
            self._signals(record.listener, record.agent, record.model, signal.type).inc()
