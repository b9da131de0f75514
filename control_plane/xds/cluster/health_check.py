"""Active health checks: Envoy sends requests to healthy endpoints only."""

from typing import Final

from control_plane import ir
from control_plane.xds import api

_MAX_WAIT_SECONDS: Final = 5.0


def build_health_check(check: ir.HealthCheck, host_header: str) -> api.core.HealthCheck:
    """Build the question and how many answers decide."""
    interval = api.duration(check.interval_seconds)
    return api.core.HealthCheck(
        timeout=api.duration(min(check.interval_seconds, _MAX_WAIT_SECONDS)),
        interval=interval,
        # Envoy asks an upstream without traffic once a minute only.
        no_traffic_interval=interval,
        # Two in a row: one pause takes no endpoint out. One good answer brings it back.
        unhealthy_threshold=2,
        healthy_threshold=1,
        http_health_check=api.core.HealthCheckHttpHealthCheck(
            host=host_header, path=check.path, expected_statuses=[api.type_v3.Int64Range(start=200, end=300)]
        ),
    )
