"""Settings of ext_proc's own spans."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["grpc", "http/protobuf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """The destination of spans, and their common attributes."""

    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    protocol: Protocol
    timeout_seconds: float
    """Timeout of one export."""
    interval_seconds: float
    """Between batches that are not full."""
    queue_size: int
    batch_size: int
    resource: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of every span."""
    header_prefixes: tuple[str, ...] = ()
    """Prefixes of request headers that become attributes."""

    captures_content: bool = False
    """Whether spans contain text of messages and tools."""

    def attributes_of(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the attributes of a request's spans; those from headers override static ones."""
        found = dict(self.attributes)
        for prefix in self.header_prefixes:
            for name, value in headers.items():
                if name.startswith(prefix) and (key := name[len(prefix) :].lstrip("-").replace("-", ".")):
                    found[key] = value
        return found
