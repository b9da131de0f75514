"""The gateway as values: listeners, routes, clusters, and ext_proc's FilterConfig. Built by `gateway`, translated by `xds`.

All values are frozen and validated. Names come only from `names.py`.
"""

from control_plane.ir.chain import Chain, ChainMember
from control_plane.ir.cluster import (
    AwsSigning,
    CircuitBreaker,
    Cluster,
    Endpoint,
    HealthCheck,
    InjectedHeader,
    LoadBalancing,
    OutlierDetection,
    UpstreamTls,
)
from control_plane.ir.gateway import Gateway
from control_plane.ir.limits import Limits
from control_plane.ir.listener import (
    Caller,
    Cors,
    Credential,
    DownstreamTls,
    Egress,
    Jwt,
    Listener,
    ListenerKind,
    NativeModel,
    NativePath,
    Retry,
    Route,
)
from control_plane.ir.rate_limit import RateLimit
from control_plane.ir.session_store import SessionStore
from control_plane.ir.tracing import Collector, OtlpProtocol, Tracing

__all__ = [
    "AwsSigning",
    "Caller",
    "Chain",
    "ChainMember",
    "CircuitBreaker",
    "Cluster",
    "Collector",
    "Cors",
    "Credential",
    "DownstreamTls",
    "Egress",
    "Endpoint",
    "Gateway",
    "HealthCheck",
    "InjectedHeader",
    "Jwt",
    "Limits",
    "Listener",
    "ListenerKind",
    "LoadBalancing",
    "NativeModel",
    "NativePath",
    "OtlpProtocol",
    "OutlierDetection",
    "RateLimit",
    "Retry",
    "Route",
    "SessionStore",
    "Tracing",
    "UpstreamTls",
]
