"""Metrics and log events of the session store: failures, which lose sessions but no requests."""

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter

from ext_proc.telemetry import names
from process_log import get_logger

_QUIET_SECONDS: Final = 10.0
"""Minimum time between log lines: a store that is down fails with every request."""


class SessionMetrics:
    """Counts and logs failures of a store."""

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, now: Callable[[], float] = time.monotonic) -> None:
        self._failures = Counter(
            names.SESSION_STORE_FAILURES,
            "Calls to the store of sessions that failed",
            ("store", "operation"),
            registry=registry,
        )
        self._now = now
        self._logged_at = -_QUIET_SECONDS
        self._log = get_logger()

    def failed(self, store: str, operation: str, error: Exception) -> None:
        """Record a failure; only its type is logged, because its message may contain an address."""
        self._failures.labels(store, operation).inc()
        if self._now() - self._logged_at >= _QUIET_SECONDS:
            self._logged_at = self._now()
            self._log.warning("session_store_failed", store=store, operation=operation, reason=type(error).__name__)
