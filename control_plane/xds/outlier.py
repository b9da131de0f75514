"""When an endpoint is left alone: after errors in a row, for a fixed time, and at once where nothing answers at all."""

from typing import Final

from control_plane.ir import model as ir
from control_plane.xds import api

_SWEEP_SECONDS: Final = 1.0


def build_outlier_detection(detection: ir.OutlierDetection) -> api.cluster.OutlierDetection:
    """Build the ejection of endpoints that fail; what succeeded last is not compared between endpoints."""
    return api.cluster.OutlierDetection(
        consecutive_5xx=detection.consecutive_errors,
        consecutive_gateway_failure=detection.consecutive_errors,
        enforcing_consecutive_gateway_failure=100,
        # A refused connection or an answer that does not come costs callers more than an error does: fewer are needed.
        split_external_local_origin_errors=True,
        consecutive_local_origin_failure=max(1, detection.consecutive_errors // 2),
        enforcing_success_rate=0,
        enforcing_local_origin_success_rate=0,
        base_ejection_time=api.duration(detection.ejection_seconds),
        # Envoy would double, treble, ... the time of one that fails again; then one that recovered would stay out for minutes.
        max_ejection_time=api.duration(detection.ejection_seconds),
        interval=api.duration(min(_SWEEP_SECONDS, detection.ejection_seconds / 10)),
        max_ejection_percent=detection.max_ejection_percent,
        # A lone endpoint too: a chain then goes on to the next upstream at once, and without one panic mode still uses it.
        always_eject_one_host=True,
    )
