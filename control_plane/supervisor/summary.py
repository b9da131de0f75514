"""From a configuration to what the supervisor must know of it: the ports that it takes, and what listeners serve. Pure."""

from collections.abc import Iterator

from control_plane.config.model import Limits, PlanoConfig
from control_plane.ir import Gateway, Listener
from control_plane.reading import Reading, served_names
from control_plane.supervisor.instance import ListenerView, reachable_url
from control_plane.supervisor.log_rotation import LogLimits
from control_plane.supervisor.ports import LOOPBACK, PortClaim
from control_plane.supervisor.request import Summary


def summarize(reading: Reading) -> Summary:
    """Pick what the supervisor must know."""
    overrides = reading.config.overrides
    return Summary(
        listeners=tuple(_view(listener, reading.gateway) for listener in reading.gateway.listeners),
        claims=tuple(_port_claims(reading.config, reading.gateway)),
        metrics_port=overrides.metrics_port,
        control_plane_metrics_port=overrides.control_plane_metrics_port,
        admin_port=overrides.admin_port,
        log_limits=_log_limits(overrides.limits),
        signs_for_aws=any(entry.aws is not None for entry in reading.config.model_providers),
    )


def _port_claims(config: PlanoConfig, gateway: Gateway) -> Iterator[PortClaim]:
    for listener in gateway.listeners:
        yield PortClaim(f'listener "{listener.name}"', listener.address, listener.port)
    overrides = config.overrides
    yield PortClaim("Envoy's statistics, overrides.admin_port", LOOPBACK, overrides.admin_port)
    yield PortClaim("metrics, overrides.metrics_port", LOOPBACK, overrides.metrics_port)
    yield PortClaim(
        "the control plane's metrics, overrides.control_plane_metrics_port", LOOPBACK, overrides.control_plane_metrics_port
    )


def _log_limits(limits: Limits) -> LogLimits:
    return LogLimits(max_bytes=limits.log_max_bytes, max_age_seconds=limits.log_max_age, kept=limits.log_files)


def _view(listener: Listener, gateway: Gateway) -> ListenerView:
    return ListenerView(
        name=listener.name,
        kind=listener.kind,
        url=reachable_url(listener.address, listener.port, has_tls=listener.tls is not None),
        serves=served_names(listener, gateway),
    )
