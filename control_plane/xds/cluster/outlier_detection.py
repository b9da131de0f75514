"""Outlier detection: an endpoint is ejected after consecutive errors, for a fixed time."""

from typing import Final

from control_plane import ir
from control_plane.xds import api

_SWEEP_SECONDS: Final = 1.0


def build_outlier_detection(detection: ir.OutlierDetection) -> api.cluster.OutlierDetection:
    """Build the ejection by consecutive failures; success rates are not compared between endpoints."""
    return api.cluster.OutlierDetection(
        consecutive_5xx=detection.consecutive_errors,
        consecutive_gateway_failure=detection.consecutive_errors,
        enforcing_consecutive_gateway_failure=100,
        # If counted separately, resets and timeouts would never be consecutive: each established connection resets the count.
        split_external_local_origin_errors=False,
        enforcing_success_rate=0,
        base_ejection_time=api.duration(detection.ejection_seconds),
        # Envoy would multiply the time of an endpoint that fails again; a recovered one would stay ejected for minutes.
        max_ejection_time=api.duration(detection.ejection_seconds),
        interval=api.duration(min(_SWEEP_SECONDS, detection.ejection_seconds / 10)),
        max_ejection_percent=detection.max_ejection_percent,
        # Also a single endpoint: a chain then uses the next upstream at once, and otherwise panic mode still uses this one.
        always_eject_one_host=True,
    )
