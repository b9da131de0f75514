"""Everything that one configuration asks for."""

from dataclasses import dataclass

from control_plane.ir.chain import Chain
from control_plane.ir.cluster import Cluster
from control_plane.ir.listener import Egress, Listener
from control_plane.ir.models import AliasPlan, Model, ModelRoute, PreferencePlan
from control_plane.ir.plan import Affinity, Embedding, Filter, ListenerPlan, Orchestrator, Source
from control_plane.ir.session_store import SessionStore
from control_plane.ir.tracing import Tracing


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Everything that one configuration asks for.

    Every tuple is sorted by name, but for the agents of a plan and preferences: these are in the declared order.
    """

    listeners: tuple[Listener, ...]
    egress: Egress
    clusters: tuple[Cluster, ...]
    plans: tuple[ListenerPlan, ...]
    filters: tuple[Filter, ...]
    models: tuple[Model, ...]
    aliases: tuple[tuple[str, str], ...]
    """(alias, model name), aliases of aliases resolved."""
    orchestrator: Orchestrator | None
    max_request_bytes: int
    """Larger bodies are refused with 413."""
    internal_cidrs: tuple[str, ...]
    """Addresses whose `x-envoy-*` request headers are obeyed."""
    access_log_path: str
    """A file, or /dev/stdout."""
    chains: tuple[Chain, ...] = ()
    alias_plans: tuple[AliasPlan, ...] = ()
    preferences: tuple[PreferencePlan, ...] = ()
    """In the declared order, in which the routing model sees them."""
    rankings: tuple[ModelRoute, ...] = ()
    """Routes for the models of preferences that requests bring along, by client API; empty where no routing is configured."""
    affinity: Affinity | None = None
    """None: as if `routing` was not written."""
    cache_marks_from: int = 0
    """Tokens of tools and instructions from which on prompts are marked for their provider's cache; 0: none is."""
    sources: tuple[Source, ...] = ()
    session_store: SessionStore | None = None
    """None: sessions are kept on this machine."""
    embedding: Embedding | None = None
    """None: nothing is decided by meaning."""
    routing_model: Orchestrator | None = None
    """What chooses among preferences; None lets the built-in router choose."""
    reads_signals: bool = True
    """Whether ext_proc analyses conversations."""
    latest_names: bool = False
    """Whether telemetry of model calls has the latest names of the conventions."""
    tracing: Tracing | None = None
    """None: nothing is traced."""
