"""The whole gateway of one configuration."""

from dataclasses import dataclass

from control_plane.ir.chain import Chain
from control_plane.ir.cluster import Cluster
from control_plane.ir.limits import Limits
from control_plane.ir.listener import Egress, Listener, Route
from control_plane.ir.session_store import SessionStore
from control_plane.ir.tracing import Tracing
from protos.filter_config_pb2 import FilterConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The whole gateway of one configuration.

    Every tuple is sorted by name.
    """

    listeners: tuple[Listener, ...]
    egress: Egress
    clusters: tuple[Cluster, ...]
    filter_config: FilterConfig
    """ext_proc's configuration as it is sent, except its version; must not be modified."""
    max_request_bytes: int
    """Larger bodies get 413."""
    limits: Limits
    internal_cidrs: tuple[str, ...]
    """Addresses of trusted clients, whose `x-envoy-*` request headers count."""
    access_log_path: str
    """A file, or /dev/stdout."""
    chains: tuple[Chain, ...] = ()
    attempt_routes: tuple[Route, ...] = ()
    """The routes of the attempts listener."""
    session_store: SessionStore | None = None
    """None: sessions are stored on this machine."""
    tracing: Tracing | None = None
    """None: nothing is traced."""
