"""Choosing models by preference, price and speed, and keeping sessions on the model that they started with."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.config.model.types import Default, SecretText, Section, Text

Positive = Annotated[int, Field(ge=1)]


class SelectionPolicy(Section):
    """How the models of a preference are ordered."""

    prefer: Literal["cheapest", "fastest", "none"]
    """By price, by latency, or as written."""


class RoutingPreference(Section):
    """A kind of task, and the models for it."""

    name: Text
    """Name of the kind of task."""
    description: str
    """What such tasks are: requests are matched with it, and with the name."""
    examples: tuple[Text, ...] = ()
    """Requests of this kind, as people write them."""
    models: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Models of `model_providers`, best first; the next one answers when one does not."""
    selection_policy: SelectionPolicy | None = None
    """How the models are ordered."""


class CostSource(Section):
    """A catalogue of prices."""

    type: Literal["cost"]
    """What it tells."""
    provider: Literal["digitalocean", "models.dev"]
    """Whose catalogue."""
    url: Text | None = None
    """Where the catalogue is, unless at its usual place."""
    refresh_interval: Positive | None = None
    """Seconds between fetches; fetched until it succeeds, then no more, if left out. A failed fetch keeps the last prices."""
    model_aliases: Annotated[dict[str, str], Field(default_factory=dict)]
    """Names of the catalogue and the models that they mean."""


class LatencySource(Section):
    """A Prometheus query for latencies."""

    type: Literal["latency"]
    """What it tells."""
    provider: Literal["prometheus"]
    """What answers the query."""
    url: Text
    """Where Prometheus is, without `/api/v1/query`."""
    query: Text
    """Query whose result has the label `model_name`."""
    refresh_interval: Positive | None = None
    """Seconds between queries; asked until it answers, then no more, if left out. A failed query keeps the last latencies."""


ModelMetricsSource = Annotated[CostSource | LatencySource, Field(discriminator="type")]


class SessionCache(Section):
    """Where sessions are kept."""

    type: Literal["memory", "redis"] = "memory"
    """On this machine, for all workers, or in a Redis or Valkey that several gateways share."""
    url: SecretText | None = None
    """Where Redis is, `redis://` or, with TLS, `rediss://`: `rediss://user:$PASSWORD@host:6379`. Needed for `redis`."""
    tenant_header: Text | None = None
    """Request header whose value separates the sessions of tenants."""


class RoutingBudget(Section):
    """What changing the model of a session may cost."""

    max_switch_spend_pct: Annotated[float, Field(ge=0, le=100)]
    """Percent of what the session's input would have cost without changes; a client's `x-plano-max-switch-spend-pct` wins."""
    replenish_on_rebind: bool = True
    """Whether a cold session starts counting anew."""
    cache_read_discount: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Price of cached input, as a part of the price of input, where the catalogue has none."""
    record_counterfactual: bool = False
    """Whether the log and a metric tell which model would have answered when a change is refused."""


class Routing(Section):
    """How sessions keep their model."""

    session_ttl_seconds: Positive = 600
    """How long a session keeps its model after its last request."""
    session_max_entries: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    """Sessions that this machine remembers; the one that is silent for the longest time is forgotten first."""
    session_cache: SessionCache | None = None
    """Where sessions are kept."""
    routing_budget: RoutingBudget | None = None
    """What changing the model of a session may cost."""
    route_on_user_only: bool = False
    """Whether only a user's own message can change the model: not results of tools, nor what a coding agent adds by itself."""


class PromptCaching(Section):
    """Provider-side prompt caching."""

    enabled: bool = False
    """Whether it is used at all."""
    session_affinity: bool = True
    """Whether conversations stay on the model whose cache knows them, as if they had an `x-model-affinity`."""
    inject_cache_control: bool = True
    """Whether prompts without `cache_control` get it where only that is cached: at Anthropic, and by Claude at OpenRouter."""
    min_prefix_tokens: Positive = 1024
    """Prompts whose tools and instructions are shorter are not marked; a token is counted as four bytes."""
    session_ttl_seconds: Annotated[Positive | None, Default("that of `routing`")] = None
    """How long a conversation stays on its model after its last request."""
