"""Limits of one gateway: memory, connections, time, disk. Plano has no such fields."""

from typing import Annotated, Final

from pydantic import Field

from control_plane.config.model.types import Default, Duration, Section

_MIB: Final = 1024 * 1024


class Limits(Section):
    """Limits of the whole gateway."""

    max_memory_bytes: Annotated[int, Field(ge=64 * _MIB, le=1 << 40)] = 1024 * _MIB
    """Heap of Envoy. From 80 % the requests with the largest buffers are reset, at 95 % new requests get 503, and above
    that new connections wait."""
    max_connections: Annotated[Annotated[int, Field(ge=16, le=1_000_000)] | None, Default("as many as open files permit")] = (
        None
    )
    """Connections of clients to all listeners together; one listener has at most three quarters of them."""
    connection_idle_timeout: Duration = 75.0
    """A connection without a request for this long is closed."""
    upload_timeout: Duration = 60.0
    """A request that sends nothing for this long before it is complete gets 408."""
    client_max_retries: Annotated[int, Field(ge=0, le=100)] = 10
    """Maximum of `x-envoy-max-retries` of a trusted client."""
    client_max_timeout: Duration = 600.0
    """Maximum of `x-envoy-upstream-rq-timeout-ms` and `x-envoy-upstream-rq-per-try-timeout-ms` of a trusted client."""
    log_max_bytes: Annotated[int, Field(ge=64 * 1024, le=1 << 40)] = 100 * _MIB
    """`plano up`: a log file of this size is rotated."""
    log_max_age: Duration = 24 * 3600.0
    """`plano up`: a log file of this age is rotated."""
    log_files: Annotated[int, Field(ge=1, le=100)] = 5
    """`plano up`: rotated files that are kept of each log."""
