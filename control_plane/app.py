"""The composition root of the control plane: builds all parts, starts them in order, and stops them on SIGTERM or SIGINT."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import structlog

from control_plane.ads import AdsServer, Clients, Publisher, Snapshot, Timing, Views
from control_plane.bootstrap import BootstrapSettings, write_bootstrap
from control_plane.config.model import Overrides
from control_plane.gateway import Runtime
from control_plane.inspection import Inspection, inspect_file
from control_plane.reading import served_names
from control_plane.reload import Compiled, Reloader, Report
from control_plane.restart import restart_warnings
from control_plane.status import ServedListener
from control_plane.status_file import StatusFile
from control_plane.telemetry import Telemetry, serving_metrics
from control_plane.xds.merge import merge_routes

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Paths and addresses of one control plane."""

    config_file: Path
    xds_address: str
    """`unix:///path` or `host:port`."""
    runtime: Runtime
    status_file: Path | None = None
    metrics_address: str | None = None
    bootstrap: BootstrapSettings | None = None
    """Of an Envoy that waits for it, if any."""
    timing: Timing = field(default_factory=Timing)


async def serve(settings: Settings) -> None:
    """Serve a configuration and follow its file until SIGTERM or SIGINT.

    Raises:
        ConfigError: There is no valid configuration to serve.
        OSError: An address cannot be listened on.
    """
    telemetry = Telemetry(version=metadata.version("plano-gateway"))
    views, clients = Views(), Clients(telemetry)
    publisher = Publisher(views, clients, merge_routes=merge_routes, timing=settings.timing)
    reports: list[Callable[[Report], None]] = [telemetry.reloaded]
    reloader = Reloader(
        settings.config_file,
        compile_file=FileCompiler(settings.runtime, settings.bootstrap).compile,
        publish=publisher.publish,
        report=lambda report: _tell(reports, report),
    )
    with ExitStack() as resources:
        if settings.metrics_address is not None:
            resources.enter_context(serving_metrics(telemetry.registry, settings.metrics_address))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(publisher.run())
                if settings.status_file is not None:
                    status = StatusFile(settings.status_file, config_file=settings.config_file, clients=clients, views=views)
                    reports.append(status.reloaded)
                    tasks.create_task(status.run())
                await reloader.start()
                tasks.create_task(reloader.run())
                await _serve_until_stopped(AdsServer(views, clients), settings.xds_address)
                raise _Stopped
        except* _Stopped:
            _log.info("control_plane_stopped")


class FileCompiler:
    """Compiles the configuration file to what is served, with variables from this process's environment."""

    def __init__(self, runtime: Runtime, bootstrap: BootstrapSettings | None = None) -> None:
        self._runtime = runtime
        self._bootstrap = bootstrap
        self._started: Overrides | None = None
        """The settings with which this process and its siblings were started."""

    def compile(self, file: Path) -> Compiled:
        """Compile the current file; the first time, also write Envoy's bootstrap. Raises ConfigError, OSError."""
        inspection = inspect_file(file, env=os.environ, runtime=self._runtime)
        wanted = inspection.config.overrides
        if self._started is None and self._bootstrap is not None:
            write_bootstrap(self._bootstrap, inspection.gateway.limits, wanted)
        self._started = self._started or wanted
        warnings = (*inspection.warnings, *restart_warnings(self._started, wanted, file=str(file)))
        return Compiled(snapshot=Snapshot.of(inspection.resources), listeners=_served(inspection), warnings=warnings)


class _Stopped(Exception):
    """Ends the task group; not an error."""


async def _serve_until_stopped(server: AdsServer, address: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        await server.start(address)
        _log.info("control_plane_serving", address=address)
        await stopped.wait()
    finally:
        await server.stop()


def _tell(listeners: list[Callable[[Report], None]], report: Report) -> None:
    for listener in listeners:
        listener(report)


def _served(inspection: Inspection) -> tuple[ServedListener, ...]:
    gateway = inspection.gateway
    return tuple(
        ServedListener(
            name=listener.name,
            kind=listener.kind.value,
            address=listener.address,
            port=listener.port,
            has_tls=listener.tls is not None,
            serves=served_names(listener, gateway),
        )
        for listener in gateway.listeners
    )
