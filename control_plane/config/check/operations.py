"""Checks tracing and state storage."""

from collections.abc import Iterator

from control_plane.config.check.finding import Finding
from control_plane.config.check.urls import collector_defect, url_defect
from control_plane.config.model import PlanoConfig


def check_tracing(config: PlanoConfig) -> Iterator[Finding]:
    """Find collectors and exporters with invalid addresses."""
    tracing = config.tracing
    if tracing is None:
        return
    if tracing.opentracing_grpc_endpoint and tracing.otlp_http_endpoint:
        message = "should be left out: spans go to one collector, and opentracing_grpc_endpoint names it"
        yield Finding(("tracing", "otlp_http_endpoint"), "two-collectors", message)
    if tracing.opentracing_grpc_endpoint and (defect := collector_defect(tracing.opentracing_grpc_endpoint)):
        yield Finding(("tracing", "opentracing_grpc_endpoint"), "bad-url", defect)
    if tracing.otlp_http_endpoint and (defect := url_defect(tracing.otlp_http_endpoint)):
        yield Finding(("tracing", "otlp_http_endpoint"), "bad-url", defect)
    for index, exporter in enumerate(tracing.exporters):
        defect = url_defect(exporter.url)
        if defect:
            yield Finding(("tracing", "exporters", index, "url"), "bad-url", defect)


def check_state_storage(config: PlanoConfig) -> Iterator[Finding]:
    """Find a PostgreSQL store without an address."""
    storage = config.state_storage
    if storage is not None and storage.type == "postgres" and storage.connection_string is None:
        message = "is required for a storage of type postgres"
        yield Finding(("state_storage", "connection_string"), "missing-field", message)
