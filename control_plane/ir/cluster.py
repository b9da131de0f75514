"""One upstream: its endpoints, how requests are spread over them, and what protects it."""

from dataclasses import dataclass, field
from enum import StrEnum

from control_plane.ir.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address that a cluster sends to."""

    host: str
    """IP address or DNS name."""
    port: int
    weight: int = 1
    """Share of the requests, relative to the cluster's other endpoints."""
    is_canary: bool = False
    """Whether it serves a new version: Envoy counts its requests apart."""
    host_header: str = ""
    """What it sees as Host; empty for what the cluster says."""
    socket_path: str = ""
    """Unix socket on which it listens instead."""


class LoadBalancing(StrEnum):
    """How the next endpoint of a cluster is chosen."""

    ROUND_ROBIN = "round_robin"
    LEAST_REQUEST = "least_request"
    RANDOM = "random"
    RING_HASH = "ring_hash"
    """By a request header, so that equal values meet the same endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """What one cluster may have under way at a time; more is refused at once. Envoy's defaults are too low for one core."""

    max_connections: int = 10_000
    max_pending_requests: int = 10_000
    max_requests: int = 10_000
    max_retries: int | None = None
    """Retries under way at a time; None leaves them to the budget."""
    retry_budget_percent: float = 20.0
    """Retries under way at a time, as a part of the requests under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierDetection:
    """When an endpoint that fails is left alone, and how long."""

    consecutive_errors: int
    ejection_seconds: float
    max_ejection_percent: int
    """Never more of a cluster's endpoints at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSigning:
    """How requests are signed for AWS (SigV4); the credentials are Envoy's to find."""

    service: str
    region: str
    profile: str = ""
    """Of the shared credentials file; empty: AWS' usual chain of places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Envoy asks each endpoint whether it is well."""

    path: str
    interval_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamTls:
    """TLS towards an upstream, which is always verified."""

    sni: str
    ca_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedHeader:
    """A request header whose value is a secret: Envoy fetches it over SDS and sets it on each attempt."""

    header: str
    secret_name: str
    value: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One upstream. Becomes one Envoy Cluster of the same name, and its endpoints if they are IP addresses."""

    name: str
    endpoints: tuple[Endpoint, ...]
    host_header: str
    """What the upstream sees as Host."""
    connect_timeout_seconds: float
    tls: UpstreamTls | None = None
    """None means plaintext."""
    injected_headers: tuple[InjectedHeader, ...] = ()
    is_http2: bool = False
    """Whether it is spoken to in HTTP/2 alone: gRPC."""
    aws: AwsSigning | None = None
    takes_client_token: bool = False
    """Whether it looks for a client's own key in `authorization` alone, while some clients send `x-api-key`."""
    load_balancing: LoadBalancing = LoadBalancing.LEAST_REQUEST
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    outlier_detection: OutlierDetection | None = None
    """None ejects nothing."""
    health_check: HealthCheck | None = None
    """None asks nothing: requests tell who is well."""
