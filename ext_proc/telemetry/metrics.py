"""The metrics of one worker. With PROMETHEUS_MULTIPROC_DIR, the master adds up those of all workers.

Children are cached per label set, so recording a request does not process labels.
"""

import os
from functools import lru_cache
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, values

from ext_proc.decide.request import Record
from ext_proc.telemetry import names
from ext_proc.telemetry.attempt_metrics import AttemptMetrics
from ext_proc.telemetry.continuation_metrics import ContinuationMetrics
from ext_proc.telemetry.session_metrics import SessionMetrics
from ext_proc.telemetry.signal_metrics import SignalMetrics
from ext_proc.telemetry.source_metrics import SourceMetrics
from ext_proc.telemetry.trace_metrics import TraceMetrics

_FAST: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_CALLS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def share_values(worker: int) -> None:
    """Keep this process's values in files named after its worker number, before any metric exists.

    A restarted worker then continues its predecessor's counters, and dead processes leave no files behind.
    """
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        values.ValueClass = values.MultiProcessValue(process_identifier=lambda: worker)  # type: ignore[no-untyped-call]


class Metrics:
    """All metric families, with cached children."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        listener = ("listener",)
        self._requests = Counter(names.REQUESTS, "Requests decided", ("listener", "api", "outcome"), registry=registry)
        self._in_flight = Gauge(
            names.REQUESTS_IN_FLIGHT, "Streams open with Envoy", listener, registry=registry, multiprocess_mode="livesum"
        )
        self._request_duration = Histogram(
            names.REQUEST_DURATION, "Time spent in ext_proc", listener, registry=registry, buckets=_FAST
        )
        self._decision_duration = Histogram(
            names.DECISION_DURATION, "Time to choose an agent or a model", listener, registry=registry, buckets=_FAST
        )
        self._decisions = Counter(names.DECISIONS, "Agents chosen", ("listener", "agent", "rung"), registry=registry)
        self._route_decisions = Counter(
            names.ROUTE_DECISIONS, "Models chosen by preference", ("listener", "route", "rung"), registry=registry
        )
        self._refused_switches = Counter(
            names.REFUSED_SWITCHES,
            "Changes of model that a routing budget refused",
            ("listener", "from", "to"),
            registry=registry,
        )
        self._callers = Counter(
            names.CALLER_REQUESTS, "Requests of known callers", ("listener", "caller", "outcome"), registry=registry
        )
        self._model_requests = Counter(names.MODEL_REQUESTS, "Models chosen", ("listener", "model"), registry=registry)
        self._errors = Counter(names.ERRORS, "Failures of the service itself", ("listener", "kind"), registry=registry)
        self._filter = Histogram(
            names.FILTER_DURATION, "One call to a filter", ("filter", "outcome"), registry=registry, buckets=_CALLS
        )
        self._filtered_answers = Counter(
            names.FILTERED_ANSWERS, "Answers that output filters saw", ("listener", "outcome"), registry=registry
        )
        self._orchestrator = Histogram(
            names.ORCHESTRATOR_DURATION, "One call to the orchestrator's model", ("outcome",), registry=registry, buckets=_CALLS
        )
        self._embedding = Histogram(
            names.EMBEDDING_DURATION, "One call to the embedding model", ("outcome",), registry=registry, buckets=_CALLS
        )
        self._config_updates = Counter(names.CONFIG_UPDATES, "Configurations received", ("outcome",), registry=registry)
        self._config_version = Gauge(
            names.CONFIG_VERSION, "1 for the version in use", ("version",), registry=registry, multiprocess_mode="livemax"
        )
        self.attempts = AttemptMetrics(self.count_error, registry)
        self.continuations = ContinuationMetrics(self.count_error, registry)
        self.sources = SourceMetrics(registry)
        self.sessions = SessionMetrics(registry)
        self.signals = SignalMetrics(registry)
        self.traces = TraceMetrics(registry)
        self._keep_children()

    def _keep_children(self) -> None:
        # Bounded by the combinations of configured names and constants.
        keep = lru_cache(maxsize=None)
        self.in_flight = keep(lambda listener: self._in_flight.labels(listener))
        self._request_child = keep(lambda *labels: self._requests.labels(*labels))
        self._duration_child = keep(lambda listener: self._request_duration.labels(listener))
        self._decision_duration_child = keep(lambda listener: self._decision_duration.labels(listener))
        self._decision_child = keep(lambda *labels: self._decisions.labels(*labels))
        self._route_decision_child = keep(lambda *labels: self._route_decisions.labels(*labels))
        self._refused_child = keep(lambda *labels: self._refused_switches.labels(*labels))
        self._caller_child = keep(lambda *labels: self._callers.labels(*labels))
        self._model_child = keep(lambda *labels: self._model_requests.labels(*labels))

    def record(self, record: Record, outcome: str, seconds: float) -> None:
        """Count one request that was decided or cancelled."""
        self._request_child(record.listener, record.api, outcome).inc()
        self._duration_child(record.listener).observe(seconds)
        if record.caller:
            self._caller_child(record.listener, record.caller, outcome).inc()
        if record.decision_seconds is not None:
            self._decision_duration_child(record.listener).observe(record.decision_seconds)
        if record.agent:
            self._decision_child(record.listener, record.agent, record.rung).inc()
        if record.route:
            self._route_decision_child(record.listener, record.route, record.rung).inc()
        if record.refused_model:
            self._refused_child(record.listener, record.model, record.refused_model).inc()
        if record.model:
            self._model_child(record.listener, record.model).inc()

    def count_error(self, listener: str, kind: str) -> None:
        """Count an internal failure, ours or Envoy's; `kind` is a constant."""
        self._errors.labels(listener, kind).inc()

    def observe_filter(self, filter_id: str, outcome: str, seconds: float) -> None:
        """Record one call to a filter."""
        self._filter.labels(filter_id, outcome).observe(seconds)

    def count_answer(self, listener: str, outcome: str) -> None:
        """Count an answer that output filters saw: `filtered`, `refused` by one, or `failed` because one did."""
        self._filtered_answers.labels(listener, outcome).inc()

    def observe_orchestrator(self, outcome: str, seconds: float) -> None:
        """Record one call to the orchestrator's model."""
        self._orchestrator.labels(outcome).observe(seconds)

    def observe_embedding(self, outcome: str, seconds: float) -> None:
        """Record one call to the embedding model."""
        self._embedding.labels(outcome).observe(seconds)

    def config_updated(self, version: str, previous: str | None) -> None:
        """Record that a configuration was applied."""
        self._config_updates.labels("accepted").inc()
        if previous is not None and previous != version:
            self._config_version.labels(previous).set(0)
        self._config_version.labels(version).set(1)

    def config_rejected(self) -> None:
        """Count a configuration that cannot be compiled."""
        self._config_updates.labels("rejected").inc()
