"""One upstream: its endpoints, load balancing and protection."""

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
    """Host header; empty: the cluster's."""
    socket_path: str = ""
    """Unix socket instead of an address."""


class LoadBalancing(StrEnum):
    """How the next endpoint of a cluster is chosen."""

    ROUND_ROBIN = "round_robin"
    LEAST_REQUEST = "least_request"
    RANDOM = "random"
    RING_HASH = "ring_hash"
    """By the value of a request header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """Limits of active requests of a cluster; more are rejected at once. Envoy's defaults are too low for one core."""

    max_connections: int = 10_000
    max_pending_requests: int = 10_000
    max_requests: int = 10_000
    max_retries: int | None = None
    """Maximum of active retries; None: the budget applies."""
    retry_budget_percent: float = 20.0
    """Maximum of active retries, as a share of active requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierDetection:
    """When a failing endpoint is ejected, and for how long."""

    consecutive_errors: int
    ejection_seconds: float
    max_ejection_percent: int
    """Maximum share of ejected endpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSigning:
    """How requests are signed for AWS (SigV4); the credentials are Envoy's to find."""

    service: str
    region: str
    profile: str = ""
    """Of the shared credentials file; empty: AWS' usual chain of places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Envoy sends health checks to each endpoint."""

    path: str
    interval_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamTls:
    """TLS to an upstream, which is always verified."""

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
    """Host header."""
    connect_timeout_seconds: float
    tls: UpstreamTls | None = None
    """None means plaintext."""
    injected_headers: tuple[InjectedHeader, ...] = ()
    is_http2: bool = False
    """Whether it only supports HTTP/2, for gRPC."""
    aws: AwsSigning | None = None
    takes_client_token: bool = False
    """Whether it only reads a client's own key in `authorization`, while some clients send `x-api-key`."""
    load_balancing: LoadBalancing = LoadBalancing.LEAST_REQUEST
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    outlier_detection: OutlierDetection | None = None
    """None: no ejection."""
    health_check: HealthCheck | None = None
    """None: no active health checks."""
