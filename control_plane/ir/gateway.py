"""Everything that one configuration asks for."""

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
    """Everything that one configuration asks for.

    Every tuple is sorted by name.
    """

    listeners: tuple[Listener, ...]
    egress: Egress
    clusters: tuple[Cluster, ...]
    filter_config: FilterConfig
    """What ext_proc must know, as it is sent but for its version; not to be changed."""
    max_request_bytes: int
    """Larger bodies are refused with 413."""
    limits: Limits
    internal_cidrs: tuple[str, ...]
    """Addresses whose `x-envoy-*` request headers are obeyed."""
    access_log_path: str
    """A file, or /dev/stdout."""
    chains: tuple[Chain, ...] = ()
    attempt_routes: tuple[Route, ...] = ()
    """Where attempts of chains of models can go: the routes of the attempts listener."""
    session_store: SessionStore | None = None
    """None: sessions are kept on this machine."""
    tracing: Tracing | None = None
    """None: nothing is traced."""
