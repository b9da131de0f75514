"""What is traced, and where spans go."""

from dataclasses import dataclass
from enum import StrEnum


class OtlpProtocol(StrEnum):
    """How a collector is spoken to."""

    GRPC = "grpc"
    HTTP = "http/protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Where spans go."""

    cluster: str
    """Name of its cluster, and of the egress route that leads there."""
    protocol: OtlpProtocol
    url: str
    """Of the requests that bring spans, without secrets."""
    path: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """What is traced, and where spans go."""

    sampling_percent: float
    """Of the requests that do not belong to a trace yet; greater than 0."""
    traces_internal: bool
    """Whether calls that no request has caused are traced, too."""
    collector: Collector
    service_name: str
    resource_attributes: tuple[tuple[str, str], ...] = ()
    """Sorted, without the name of the service."""
    static_attributes: tuple[tuple[str, str], ...] = ()
    """Of every span, sorted."""
    header_prefixes: tuple[str, ...] = ()
    """In lower case: headers that begin so become attributes of ext_proc's spans."""
    captures_content: bool = False
    """Whether spans hold what users and tools say."""
    queue_size: int
    batch_size: int
    export_interval_seconds: float
