"""Metric families of price and latency sources. Labels are constants."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge

from ext_proc.telemetry import names


class SourceMetrics:
    """Counts polls of sources, and records their last success."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._refreshes = Counter(names.SOURCE_REFRESHES, "Questions to a source", ("source", "outcome"), registry=registry)
        self._last_success = Gauge(
            names.SOURCE_LAST_SUCCESS,
            "When a source last told something, in seconds since 1970",
            ("source",),
            registry=registry,
            multiprocess_mode="max",
        )

    def record(self, source: str, outcome: str, now: float) -> None:
        """Count one poll."""
        self._refreshes.labels(source, outcome).inc()
        if outcome == "ok":
            self._last_success.labels(source).set(now)
