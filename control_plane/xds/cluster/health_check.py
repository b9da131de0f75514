"""Active health checks: Envoy sends requests to healthy endpoints only."""

from typing import Final

from control_plane import ir
from control_plane.xds import api

_MAX_WAIT_SECONDS: Final = 5.0


def build_health_check(check: ir.HealthCheck, host_header: str) -> api.core.HealthCheck:
    """Build the health check and its thresholds."""
    interval = api.duration(check.interval_seconds)
    return api.core.HealthCheck(
        timeout=api.duration(min(check.interval_seconds, _MAX_WAIT_SECONDS)),
        interval=interval,
        # By default Envoy checks an upstream without traffic only once a minute.
        no_traffic_interval=interval,
        # Two in a row: one pause does not mark an endpoint unhealthy. One success marks it healthy.
        unhealthy_threshold=2,
        healthy_threshold=1,
        http_health_check=api.core.HealthCheckHttpHealthCheck(
            host=host_header, path=check.path, expected_statuses=[api.type_v3.Int64Range(start=200, end=300)]
        ),
    )
