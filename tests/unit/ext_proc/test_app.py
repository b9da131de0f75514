"""What a worker does with a configuration beside serving it."""

import pytest
from prometheus_client import CollectorRegistry

from ext_proc import app
from ext_proc.filters.filter import Filter
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.telemetry.metrics import Metrics
from tests.kit.filter_configs import filter_config


class RecordingSessions(McpSessions):
    """Notes which filters' sessions are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[set[str]] = []

    def keep_only(self, filters: frozenset[Filter]) -> None:
        self.kept.append({filter_.id for filter_ in filters})
        super().keep_only(filters)


async def test_sessions_of_filters_that_are_gone_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = RecordingSessions()
    monkeypatch.setattr(app, "McpSessions", lambda: sessions)
    settings = app.WorkerSettings(number=0, xds="unix:///nowhere", listen="unix:///nowhere")
    worker = app.Worker(settings, Metrics(CollectorRegistry()))
    config = filter_config()
    worker.apply(config)
    config.version = "v2"
    del config.filters[:], config.listeners[:]
    worker.apply(config)
    assert sessions.kept == [{"guard"}, set()]
