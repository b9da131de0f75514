"""The whole file: plano_config.yaml, key for key."""

from typing import Annotated, Final, Literal

from pydantic import Field

from control_plane.config.model.agents import Agent, Filter
from control_plane.config.model.callers import Caller
from control_plane.config.model.listeners import Listener
from control_plane.config.model.operations import RateLimit, StateStorage
from control_plane.config.model.overrides import Overrides
from control_plane.config.model.prices import ModelPrice
from control_plane.config.model.prompts import Endpoint, PromptGuards, PromptTarget
from control_plane.config.model.providers import ModelAlias, ModelProvider
from control_plane.config.model.routing import ModelMetricsSource, PromptCaching, Routing, RoutingPreference
from control_plane.config.model.tracing import Tracing
from control_plane.config.model.types import NoEffect, Section

_NO_PROMPT_TARGETS: Final = NoEffect("prompt targets are not served yet")


class PlanoConfig(Section):
    """A plano_config.yaml."""

    version: Literal["v0.4.0"]
    """Version of the format; older files are upgraded when they are read."""
    listeners: Annotated[tuple[Listener, ...], Field(min_length=1)]
    """Ports that clients connect to."""
    agents: tuple[Agent, ...] = ()
    """Agents for listeners."""
    filters: tuple[Filter, ...] = ()
    """Filters for agents and listeners."""
    model_providers: tuple[ModelProvider, ...] = ()
    """Models that clients can request; if there are any, a model listener exists, by default on port 12000."""
    model_aliases: Annotated[dict[str, ModelAlias], Field(default_factory=dict)]
    """Custom names for models."""
    callers: tuple[Caller, ...] = ()
    """Callers of listeners that require keys (`listeners[].auth`)."""
    overrides: Annotated[Overrides, Field(default_factory=Overrides)]
    """Settings of the whole gateway."""
    routing_preferences: tuple[RoutingPreference, ...] = ()
    """Kinds of tasks, and the models for each, for requests to model listeners."""
    model_metrics_sources: tuple[ModelMetricsSource, ...] = ()
    """Sources of prices and latencies of models."""
    model_prices: Annotated[dict[str, ModelPrice], Field(default_factory=dict)]
    """Prices of tokens, by model or `provider/*`: the cost of each answer is logged, counted, and sent in `x-plano-cost`."""
    routing: Routing | None = None
    """Session affinity."""
    prompt_caching: PromptCaching | None = None
    """Provider-side prompt caching."""
    ratelimits: tuple[RateLimit, ...] = ()
    """Token limits of clients."""
    tracing: Tracing | None = None
    """OpenTelemetry tracing."""
    state_storage: Annotated[StateStorage | None, NoEffect("conversations are not stored yet")] = None
    """Storage of conversations of the Responses API."""
    endpoints: Annotated[dict[str, Endpoint], _NO_PROMPT_TARGETS, Field(default_factory=dict)]
    """Hosts that prompt targets call."""
    prompt_targets: Annotated[tuple[PromptTarget, ...], _NO_PROMPT_TARGETS] = ()
    """Functions that the gateway calls for a prompt listener."""
    system_prompt: Annotated[str | None, _NO_PROMPT_TARGETS] = None
    """System prompt of all prompt targets."""
    prompt_guards: PromptGuards | None = None
    """Guards of all requests."""
    mode: Annotated[Literal["llm", "prompt"] | None, NoEffect("the listeners' types say what is served")] = None
    """What is served."""

    @property
    def guard(self) -> str | None:
        """Id of the filter that guards all requests."""
        guards = self.prompt_guards.input_guards if self.prompt_guards else None
        return guards.jailbreak.filter if guards else None

    @property
    def guard_message(self) -> str:
        """What clients are told when it refuses."""
        guards = self.prompt_guards.input_guards if self.prompt_guards else None
        return guards.jailbreak.on_exception.message if guards else ""

    @property
    def offers_choices(self) -> bool:
        """Whether requests are routed by their content: a listener has several agents, or there are several preferences."""
        return len(self.routing_preferences) > 1 or any(len(listener.agents) > 1 for listener in self.listeners)
