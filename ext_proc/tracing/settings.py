"""What a configuration says of ext_proc's own spans."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Protocol = Literal["grpc", "http/protobuf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingSettings:
    """Where spans go, and what all of them say."""

    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    protocol: Protocol
    timeout_seconds: float
    """Bounds one delivery."""
    interval_seconds: float
    """Between batches that are not full."""
    queue_size: int
    batch_size: int
    resource: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of every span."""
    header_prefixes: tuple[str, ...] = ()
    """Request headers that begin so become attributes."""

    captures_content: bool = False
    """Whether spans hold what users and tools say."""

    def attributes_of(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return what a request's spans say: of a name that is configured, too, the header has the last word."""
        found = dict(self.attributes)
        for prefix in self.header_prefixes:
            for name, value in headers.items():
                if name.startswith(prefix) and (key := name[len(prefix) :].lstrip("-").replace("-", ".")):
                    found[key] = value
        return found
