"""Routing preferences, price and latency sources, and sessions that keep their model."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.config.model.types import Default, SecretText, Section, Text

Positive = Annotated[int, Field(ge=1)]


class SelectionPolicy(Section):
    """How the models of a preference are ordered."""

    prefer: Literal["cheapest", "fastest", "none"]
    """By price, by latency, or in the written order."""


class RoutingPreference(Section):
    """A kind of task, and the models for it."""

    name: Text
    """Name of the kind of task."""
    description: str
    """Description of such tasks: requests are matched against it, and against the name."""
    examples: tuple[Text, ...] = ()
    """Examples of such requests, as users write them."""
    models: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Models of `model_providers`, best first; the next one answers if one fails."""
    selection_policy: SelectionPolicy | None = None
    """How the models are ordered."""


class CostSource(Section):
    """A catalogue of prices."""

    type: Literal["cost"]
    """The kind of source."""
    provider: Literal["digitalocean", "models.dev"]
    """Whose catalogue."""
    url: Text | None = None
    """URL of the catalogue, if it is not the usual one."""
    refresh_interval: Positive | None = None
    """Seconds between fetches; by default fetched once. A failed fetch keeps the last prices, and is repeated."""
    model_aliases: Annotated[dict[str, str], Field(default_factory=dict)]
    """Names in the catalogue -> models."""


class LatencySource(Section):
    """A Prometheus query for latencies."""

    type: Literal["latency"]
    """The kind of source."""
    provider: Literal["prometheus"]
    """What answers the query."""
    url: Text
    """URL of Prometheus, without `/api/v1/query`."""
    query: Text
    """Query whose result has the label `model_name`."""
    refresh_interval: Positive | None = None
    """Seconds between queries; by default queried once. A failed query keeps the last latencies, and is repeated."""


ModelMetricsSource = Annotated[CostSource | LatencySource, Field(discriminator="type")]


class SessionCache(Section):
    """Storage of sessions."""

    type: Literal["memory", "redis"] = "memory"
    """Memory of this machine, or a Redis or Valkey that several gateways share."""
    url: SecretText | None = None
    """URL of Redis, `redis://` or, with TLS, `rediss://`: `rediss://user:$PASSWORD@host:6379`. Required for `redis`."""
    tenant_header: Text | None = None
    """Request header that identifies the tenant of a session."""


class RoutingBudget(Section):
    """Budget for changing the model of a session."""

    max_switch_spend_pct: Annotated[float, Field(ge=0, le=100)]
    """Percent of the session's input cost without changes; a client's `x-plano-max-switch-spend-pct` overrides it."""
    replenish_on_rebind: bool = True
    """Whether the count restarts when a session's cache has expired."""
    cache_read_discount: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Price of cached input, as a share of the price of input, if the catalogue has none."""
    record_counterfactual: bool = False
    """Whether the log and a metric record the model of a change that was prevented."""


class Routing(Section):
    """Session affinity."""

    session_ttl_seconds: Positive = 600
    """How long a session keeps its model after its last request."""
    session_max_entries: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    """Maximum of sessions on this machine; the least recently used one is dropped first."""
    session_cache: SessionCache | None = None
    """Storage of sessions."""
    routing_budget: RoutingBudget | None = None
    """Budget for changing the model of a session."""
    route_on_user_only: bool = False
    """Whether only a user's own message can change the model: not tool results, nor text that a coding agent adds."""


class PromptCaching(Section):
    """Provider-side prompt caching."""

    enabled: bool = False
    """Whether it is enabled."""
    session_affinity: bool = True
    """Whether conversations stay on the model that has cached them, as with `x-model-affinity`."""
    inject_cache_control: bool = True
    """Whether prompts without `cache_control` get it if the provider requires it: Anthropic, and Claude at OpenRouter."""
    min_prefix_tokens: Positive = 1024
    """Minimum of tokens in tools and instructions for markers; a token is counted as four bytes."""
    session_ttl_seconds: Annotated[Positive | None, Default("that of `routing`")] = None
    """How long a conversation stays on its model after its last request."""
