"""Metric families of attempts. Labels are configured names and constants."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from ext_proc.attempt.record import COMPLETED, AttemptRecord
from ext_proc.telemetry import names

_FIRST_TOKEN: Final = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0)


class AttemptMetrics:
    """Counts attempts, failovers and tokens. A failed attempt is never counted as a completion, and its tokens not at all."""

    def __init__(self, count_error: Callable[[str, str], None], registry: CollectorRegistry = REGISTRY) -> None:
        self._count_error = count_error
        attempts = Counter(names.ATTEMPTS, "Attempts at models", ("model", "outcome"), registry=registry)
        failovers = Counter(names.FAILOVERS, "Failovers between models", ("from", "to", "reason"), registry=registry)
        faults = Counter(
            names.MISCONFIGURED, "Keys, accounts and model names that providers refuse", ("model", "fault"), registry=registry
        )
        tokens = Counter(names.LLM_TOKENS, "Tokens as providers count them", ("model", "kind"), registry=registry)
        first = Histogram(
            names.TIME_TO_FIRST_TOKEN,
            "Time from a request to the first content of its stream",
            ("model",),
            registry=registry,
            buckets=_FIRST_TOKEN,
        )
        keep = lru_cache(maxsize=None)  # Bounded by the combinations of configured names and constants.
        self._attempts = keep(lambda *labels: attempts.labels(*labels))
        self._faults = keep(lambda *labels: faults.labels(*labels))
        self._failovers = keep(lambda *labels: failovers.labels(*labels))
        self._tokens = keep(lambda *labels: tokens.labels(*labels))
        self._first_token = keep(lambda model: first.labels(model))

    def count_error(self, kind: str) -> None:
        """Count an internal failure; `kind` is a constant."""
        self._count_error("", kind)

    def record(self, record: AttemptRecord) -> None:
        """Count a finished attempt."""
        if not record.is_counted_elsewhere:
            self._attempts(record.model, record.outcome).inc()
        if record.own_fault:
            self._faults(record.model, record.own_fault).inc()
        if record.failed_over_from:
            self._failovers(record.failed_over_from, record.model, record.failed_over_for).inc()
        if record.first_token_seconds is not None:
            self._first_token(record.model).observe(record.first_token_seconds)
        if record.outcome == COMPLETED:
            self._count_tokens(record)

    def _count_tokens(self, record: AttemptRecord) -> None:
        usage = record.usage
        for kind, count in (
            ("input", usage.input_tokens),
            ("cached_input", usage.cached_input_tokens),
            ("cache_write", usage.cache_write_tokens),
            ("output", usage.output_tokens),
            ("reasoning", usage.reasoning_tokens),
        ):
            if count:
                self._tokens(record.model, kind).inc(count)
