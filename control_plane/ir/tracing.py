"""Tracing: the settings, and the collector."""

from dataclasses import dataclass
from enum import StrEnum


class OtlpProtocol(StrEnum):
    """The protocol of a collector."""

    GRPC = "grpc"
    HTTP = "http/protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """The destination of spans."""

    cluster: str
    """Name of its cluster, and of the egress route that leads there."""
    protocol: OtlpProtocol
    url: str
    """Headers of export requests without secrets."""
    path: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """What is traced, and where spans go."""

    sampling_percent: float
    """Sampled share of requests without a trace context; greater than 0."""
    traces_internal: bool
    """Whether calls that no request caused are also traced."""
    collector: Collector
    service_name: str
    resource_attributes: tuple[tuple[str, str], ...] = ()
    """Sorted, without the name of the service."""
    static_attributes: tuple[tuple[str, str], ...] = ()
    """Of every span, sorted."""
    header_prefixes: tuple[str, ...] = ()
    """Prefixes, in lower case, of headers that become attributes of ext_proc's spans."""
    captures_content: bool = False
    """Whether spans contain text of messages and tools."""
    queue_size: int
    batch_size: int
    export_interval_seconds: float
