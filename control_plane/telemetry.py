"""Log events and Prometheus metrics of the control plane. All names are here.

Labels come from closed sets, never from clients or from a configuration. Exceptions are logged by
type and place, because their messages may quote values of a configuration.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from control_plane.ads import Nack
from control_plane.ads.types import SHORT_NAMES, Role, short_name
from control_plane.reload import Report, Result
from control_plane.status import ConfigState

RELOADS: Final = "plano_config_reloads_total"
LAST_SUCCESS: Final = "plano_config_last_success_timestamp_seconds"
VALID: Final = "plano_config_valid"
PUBLISH_DURATION: Final = "plano_config_publish_duration_seconds"
ACKS: Final = "plano_snapshot_acks_total"
NACKS: Final = "plano_snapshot_nacks_total"
CLIENTS: Final = "plano_ads_clients"
BUILD_INFO: Final = "plano_build_info"

_EVENTS: Final = {
    Result.PUBLISHED: (logging.INFO, "config_published"),
    Result.UNCHANGED: (logging.INFO, "config_unchanged"),
    Result.SUPERSEDED: (logging.INFO, "config_superseded"),
    Result.INVALID: (logging.ERROR, "config_invalid"),
    Result.REJECTED: (logging.ERROR, "config_rejected"),
}

_log = structlog.get_logger(__name__)


class Telemetry:
    """Counts and logs events of configurations and ADS streams."""

    def __init__(self, *, version: str) -> None:
        self.registry = CollectorRegistry()
        self._reloads = Counter(RELOADS, "Looks at a changed configuration file.", ["outcome"], registry=self.registry)
        self._last_success = Gauge(LAST_SUCCESS, "When a configuration was last published.", registry=self.registry)
        self._valid = Gauge(VALID, "1 if the configuration on disk is the one served.", registry=self.registry)
        self._durations = Histogram(
            PUBLISH_DURATION, "From a change of the file to its last acknowledgement.", registry=self.registry
        )
        self._acks = Counter(ACKS, "Responses that clients accepted.", ["type"], registry=self.registry)
        self._nacks = Counter(NACKS, "Responses that clients rejected.", ["type"], registry=self.registry)
        self._clients = Gauge(CLIENTS, "Connected xDS clients.", ["role"], registry=self.registry)
        Gauge(BUILD_INFO, "Always 1; the version is a label.", ["version"], registry=self.registry).labels(version).set(1)
        self._start_at_zero()

    def reloaded(self, report: Report) -> None:
        """Record a reading of the configuration file."""
        self._reloads.labels(report.result).inc()
        self._valid.set(report.state is ConfigState.OK)
        if report.result is Result.PUBLISHED:
            self._last_success.set(report.published_at.timestamp())
            self._durations.observe(report.seconds)
        level, event = _EVENTS[report.result]
        _log.log(level, event, version=report.served.snapshot.version, seconds=round(report.seconds, 3))
        for problem in report.problems:
            _log.error("config_problem", file=problem.file, line=problem.line, path=problem.path, message=problem.message)
        for warning in report.warnings:
            _log.warning("config_warning", file=warning.file, line=warning.line, path=warning.path, message=warning.message)

    def connected(self, role: Role, node_id: str) -> None:
        """A client identified itself."""
        self._clients.labels(role).inc()
        _log.info("client_connected", role=role, node_id=node_id)

    def disconnected(self, role: Role, node_id: str) -> None:
        """Its stream ended."""
        self._clients.labels(role).dec()
        _log.info("client_disconnected", role=role, node_id=node_id)

    def acknowledged(self, role: Role, node_id: str, type_url: str) -> None:
        """A response was accepted."""
        self._acks.labels(short_name(type_url)).inc()
        _log.debug("snapshot_acked", role=role, node_id=node_id, type=short_name(type_url))

    def refused(self, nack: Nack) -> None:
        """A response was rejected."""
        self._nacks.labels(short_name(nack.type_url)).inc()
        _log.error(
            "snapshot_nacked",
            role=nack.role,
            node_id=nack.node_id,
            type=short_name(nack.type_url),
            message=nack.message,
        )

    def _start_at_zero(self) -> None:
        for result in Result:
            if result is not Result.SUPERSEDED:  # not counted: the newer one is
                self._reloads.labels(result)
        for name in SHORT_NAMES.values():
            self._acks.labels(name)
            self._nacks.labels(name)
        for role in Role:
            self._clients.labels(role)


@contextmanager
def serving_metrics(registry: CollectorRegistry, address: str) -> Iterator[int]:
    """Serve /metrics at `host:port`, and yield the port.

    Raises:
        OSError: The address cannot be listened on.
    """
    host, _, port = address.rpartition(":")
    server, thread = start_http_server(int(port), addr=host.strip("[]"), registry=registry)
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
