"""The configuration as values: plano_config.yaml key for key, immutable, with a description of each field."""

from control_plane.config.model.agents import Agent, AgentApi, Filter
from control_plane.config.model.callers import Auth, Caller, Jwt
from control_plane.config.model.config import PlanoConfig
from control_plane.config.model.instances import Instance
from control_plane.config.model.limits import Limits
from control_plane.config.model.listeners import LOOPBACK, Listener, ListenerAgent, Orchestration, Tls
from control_plane.config.model.overrides import NO_EMBEDDINGS, Overrides
from control_plane.config.model.prices import ModelPrice, Rates
from control_plane.config.model.providers import AliasTarget, ModelAlias, ModelProvider
from control_plane.config.model.resilience import Resilience
from control_plane.config.model.routing import CostSource, LatencySource, RoutingPreference
from control_plane.config.model.tracing import Tracing
from control_plane.config.model.types import Default, NoEffect, Section

__all__ = [
    "LOOPBACK",
    "NO_EMBEDDINGS",
    "Agent",
    "AgentApi",
    "AliasTarget",
    "Auth",
    "Caller",
    "CostSource",
    "Default",
    "Filter",
    "Instance",
    "Jwt",
    "LatencySource",
    "Limits",
    "Listener",
    "ListenerAgent",
    "ModelAlias",
    "ModelPrice",
    "ModelProvider",
    "NoEffect",
    "Orchestration",
    "Overrides",
    "PlanoConfig",
    "Rates",
    "Resilience",
    "RoutingPreference",
    "Section",
    "Tls",
    "Tracing",
]
