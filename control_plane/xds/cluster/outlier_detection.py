"""Outlier detection: an endpoint is ejected after consecutive errors, for a fixed time."""

from typing import Final

from control_plane import ir
from control_plane.xds import api

_SWEEP_SECONDS: Final = 1.0


def build_outlier_detection(detection: ir.OutlierDetection) -> api.cluster.OutlierDetection:
    """Build the ejection of endpoints that fail; what succeeded last is not compared between endpoints."""
    return api.cluster.OutlierDetection(
        consecutive_5xx=detection.consecutive_errors,
        consecutive_gateway_failure=detection.consecutive_errors,
        enforcing_consecutive_gateway_failure=100,
        # Counted apart, resets and answers that do not come would never be in a row: each connection that is made ends one.
        split_external_local_origin_errors=False,
        enforcing_success_rate=0,
        base_ejection_time=api.duration(detection.ejection_seconds),
        # Envoy would double, treble, ... the time of one that fails again; then one that recovered would stay out for minutes.
        max_ejection_time=api.duration(detection.ejection_seconds),
        interval=api.duration(min(_SWEEP_SECONDS, detection.ejection_seconds / 10)),
        max_ejection_percent=detection.max_ejection_percent,
        # A lone endpoint too: a chain then goes on to the next upstream at once, and without one panic mode still uses it.
        always_eject_one_host=True,
    )
