"""Tracing and state storage."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from control_plane.config.check.finding import Finding
from control_plane.config.check.urls import url_defect
from control_plane.config.model import PlanoConfig


def check_tracing(config: PlanoConfig) -> Iterator[Finding]:
    """Find collectors and exporters that cannot be reached as they are written."""
    tracing = config.tracing
    if tracing is None:
        return
    if tracing.opentracing_grpc_endpoint is not None:
        message = _collector_defect(tracing.opentracing_grpc_endpoint)
        if message:
            yield Finding(("tracing", "opentracing_grpc_endpoint"), "bad-url", message)
    for index, exporter in enumerate(tracing.exporters):
        defect = url_defect(exporter.url)
        if defect:
            yield Finding(("tracing", "exporters", index, "url"), "bad-url", defect)


def _collector_defect(url: str) -> str | None:
    defect = url_defect(url)
    if defect:
        return defect
    parts = urlsplit(url)
    if parts.scheme != "http":
        return "should begin with http://: the collector is reached over plain gRPC"
    return "should have no path: gRPC has its own" if parts.path.strip("/") else None


def check_state_storage(config: PlanoConfig) -> Iterator[Finding]:
    """Find a PostgreSQL without an address."""
    storage = config.state_storage
    if storage is not None and storage.type == "postgres" and storage.connection_string is None:
        message = "is required for a storage of type postgres"
        yield Finding(("state_storage", "connection_string"), "missing-field", message)
