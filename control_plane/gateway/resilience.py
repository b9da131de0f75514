"""`resilience` blocks -> settings of clusters and routes. An entry's block overrides `overrides.resilience`."""

from typing import Final

from control_plane import ir
from control_plane.config.model import Overrides, Resilience
from control_plane.config.model.resilience import layered

WHOLE_SECONDS: Final = 60.0
"""Default timeout of a whole answer before failover, in seconds."""


def settings_of(own: Resilience | None, overrides: Overrides) -> Resilience:
    """Return the settings of an entry: its own block, completed by the gateway's."""
    return layered(overrides.resilience, own)


def connect_timeout(settings: Resilience, overrides: Overrides) -> float:
    """Return the connect timeout in seconds."""
    return settings.timeouts.connect or overrides.upstream_connect_timeout


def response_timeout(settings: Resilience, listener_timeout: float) -> float:
    """Return the timeout of an attempt: the listener's, or less if configured."""
    return min(listener_timeout, settings.timeouts.first_byte or listener_timeout)


def whole_timeout(settings: Resilience, listener_timeout: float, *, models: int = 1) -> float:
    """Return the timeout of an attempt for a whole answer, which leaves time for all models of a chain."""
    usual = listener_timeout if models == 1 else min(WHOLE_SECONDS, listener_timeout / models)
    return min(listener_timeout, settings.timeouts.whole or usual)


def idle_timeout(settings: Resilience, listener_idle_timeout: float, response_timeout_seconds: float) -> float:
    """Return the idle timeout of an answer, at least the response timeout: Envoy includes the wait for headers."""
    return max(settings.timeouts.idle or listener_idle_timeout, response_timeout_seconds)


def build_circuit_breaker(settings: Resilience) -> ir.CircuitBreaker:
    """Build the circuit breaker."""
    breaker = settings.circuit_breaker
    return ir.CircuitBreaker(
        max_connections=breaker.max_connections,
        max_pending_requests=breaker.max_pending_requests,
        max_requests=breaker.max_requests,
        max_retries=breaker.max_retries,
        retry_budget_percent=settings.retries.budget_percent,
    )


def build_outlier_detection(settings: Resilience) -> ir.OutlierDetection | None:
    """Build the outlier detection; None if it is disabled."""
    detection = settings.outlier_detection
    if detection.max_ejection_percent == 0:
        return None
    return ir.OutlierDetection(
        consecutive_errors=detection.consecutive_errors,
        ejection_seconds=detection.ejection_time,
        max_ejection_percent=detection.max_ejection_percent,
    )


def build_health_check(settings: Resilience) -> ir.HealthCheck | None:
    """Build the health check, if configured."""
    check = settings.health_check
    return ir.HealthCheck(path=check.path, interval_seconds=check.interval) if check else None


def hash_header(settings: Resilience) -> str:
    """Return the request header that selects the endpoint; empty if none does."""
    return (settings.hash_header or "").lower() if settings.load_balancing == "ring_hash" else ""
