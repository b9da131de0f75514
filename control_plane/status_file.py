"""Rewrites the status file whenever a configuration is reported or a client's state changes."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from control_plane.ads import Clients, ClientState, Views
from control_plane.ads.types import short_name
from control_plane.reload import Report
from control_plane.status import ClientStatus, ConfigState, Status, write_status

SECONDS_BETWEEN_WRITES: Final = 0.1
"""A thousand acknowledgements in a row are one change."""

_log = structlog.get_logger(__name__)


class StatusFile:
    """Collects the state, and writes it."""

    def __init__(self, file: Path, *, config_file: Path, clients: Clients, views: Views, retry_seconds: float = 5.0) -> None:
        self._file = file
        self._retry_seconds = retry_seconds
        self._config_file = str(config_file)
        self._clients = clients
        self._views = views
        self._report: Report | None = None
        self._written: Status | None = None

    def reloaded(self, report: Report) -> None:
        """Record the state of the configuration."""
        self._report = report
        self._clients.changed.fire()

    async def run(self) -> None:
        """Write every change, until cancelled."""
        while True:
            status = self.status()
            if status is None or status == self._written:
                await self._clients.changed.wait()
                continue
            try:
                await asyncio.to_thread(write_status, status, self._file)
            except OSError as error:  # a full disk must not end the service
                _log.error("status_not_written", file=str(self._file), reason=error.strerror)
                await asyncio.sleep(self._retry_seconds)
                continue
            self._written = status
            await asyncio.sleep(SECONDS_BETWEEN_WRITES)

    def status(self) -> Status | None:
        """Return the current state; None before the first configuration."""
        report = self._report
        if report is None:
            return None
        clients = [client.state(self._views.of(client.role)) for client in self._clients]
        is_refused = report.state is ConfigState.OK and any(client.nacks for client in clients)
        return Status(
            config_file=self._config_file,
            state=ConfigState.REJECTED if is_refused else report.state,
            version=report.served.snapshot.version,
            tried_version=report.tried_version,
            loaded_at=report.loaded_at.isoformat(timespec="milliseconds"),
            published_at=report.published_at.isoformat(timespec="milliseconds"),
            problems=report.problems,
            warnings=report.warnings,
            listeners=report.served.listeners,
            clients=tuple(_client(client) for client in sorted(clients, key=lambda client: (client.role, client.node_id))),
        )


def _client(client: ClientState) -> ClientStatus:
    return ClientStatus(
        node_id=client.node_id,
        role=client.role.value,
        acked={short_name(type_url): version for type_url, version in client.acked},
        refused={short_name(nack.type_url): nack.message for nack in client.nacks},
    )
