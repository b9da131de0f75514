"""One whole configuration as a session binds it, made by `compile`.

A session keeps the plan that it started with, so a change never shows in the middle of a request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ext_proc.plan.orchestration import Orchestration
from ext_proc.plan.targets import Member, ResumableRoute, Target
from ext_proc.routing.affinity.sessions import Affinity
from ext_proc.routing.agents.agent_pool import AgentPool, compile_agents
from ext_proc.routing.models.preferences import Preferences
from ext_proc.runtime import Agent, Caller, EmbeddingModel, Filter, Model, ModelTables, Orchestrator, Source
from ext_proc.tracing.settings import TracingSettings


class ListenerKind(StrEnum):
    """Who is served."""

    AGENT = "agent"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What one listener offers."""

    name: str
    kind: ListenerKind
    agents: Mapping[str, Agent] = field(default_factory=dict)
    """By id, in the declared order. Agent listeners only."""
    pool: AgentPool = field(default_factory=lambda: compile_agents(()))
    """What decisions among these agents need."""
    pools: Mapping[str, AgentPool] = field(default_factory=dict)
    """The same for callers that may not use all of them, by name."""
    orchestration: Orchestration | None = None
    """How several agents answer together. None: one answers, whoever is named first."""
    input_filters: tuple[Filter, ...] = ()
    """Input filters of a model listener; agents have their own."""
    continues_streams: bool = False
    """Whether streams go on elsewhere when they are cut, where a route says how."""
    gates_streams: bool = True
    """Whether a stream's head is held until it says something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a session looks up."""

    version: str
    listeners: Mapping[str, Listener] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    models: ModelTables = field(default_factory=ModelTables)
    entries: Mapping[str, Model] = field(default_factory=dict)
    """Every model by its configured name, for attempts."""
    targets: Mapping[tuple[str, str], Target] = field(default_factory=dict)
    """By model and upstream API."""
    chains: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    """By route: where its attempts go, one after another."""
    rankings: Mapping[str, Mapping[str, Member]] = field(default_factory=dict)
    """By route: the models, by name, that a request may have tried there in any order."""
    ranked_models: Mapping[str, Model] = field(default_factory=dict)
    """By name: models with routes on which others follow in any order."""
    resumable: Mapping[str, ResumableRoute] = field(default_factory=dict)
    """By route: how its streams go on when they are cut."""
    orchestrator: Orchestrator | None = None
    """None: the built-in router is the first rung of the ladder."""
    preferences: Preferences | None = None
    """None: a request is answered by the model that it asks for, unless it brings preferences along."""
    affinity: Affinity = field(default_factory=Affinity)
    """How sessions keep their model."""
    cache_marks_from: int = 0
    """Tokens of tools and instructions from which on prompts are marked for their provider's cache; 0: none is."""
    counts_tokens: bool = False
    """Whether an estimate of a request's tokens is left with it, for rate limits."""
    sources: tuple[Source, ...] = ()
    """Who tells prices and latencies; one of a kind at most."""
    routing_model: Orchestrator | None = None
    """What chooses among preferences. None: the built-in router does."""
    reads_signals: bool = True
    """Whether conversations are analysed."""
    latest_names: bool = False
    """Whether telemetry of model calls has the latest names of OpenTelemetry's conventions."""
    tracing: TracingSettings | None = None
    """None: nothing is traced."""
    embedding: EmbeddingModel | None = None
    """None: nothing is decided by meaning."""
    callers: Mapping[str, Caller] = field(default_factory=dict)
    """By name: those whose keys Envoy takes."""
    egress_url: str = ""
    max_request_bytes: int = 0
    models_body: bytes = b""
    """The answer to GET /v1/models."""
    models_bodies: Mapping[str, bytes] = field(default_factory=dict)
    """The same for callers that may not use all of them, by name."""
