"""What a configuration offers, as frozen values for the request path: agents, filters, models and their lookup tables.

Made once per configuration by `compile`; `plan` gathers them into what a session binds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Uncompilable(Exception):
    """The configuration contradicts itself; the message says where."""


class FilterType(StrEnum):
    """How a filter is called."""

    MCP = "mcp"
    HTTP = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One step of a filter chain."""

    id: str
    type: FilterType
    route: str
    """Value of `x-plano-route` on the egress listener."""
    tool: str = ""
    """MCP: the tool's name."""
    path: str = ""
    """Path of the filter's URL, without a trailing slash."""
    passthrough_auth: bool = False
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent as one listener offers it."""

    id: str
    description: str
    route: str
    is_default: bool = False
    input_filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRoute:
    """How one client API of a model reaches its provider."""

    route: str
    path: str
    """At the provider; `{model}` stands for the upstream model."""
    stream_route: str = ""
    """Where requests for a stream go; empty for where all go."""
    tools_route: str = ""
    """Where requests that offer tools go, of models that take these in another API only: by attempts. Empty: as all others."""
    by_attempt: bool = False
    """Each attempt's request is made by the attempt stage, from the body that decide leaves."""
    continued: str = ""
    """Route of streams that are continued when they are cut; empty: they are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A configured model, or all models of a provider (`openai/*`)."""

    name: str
    upstream_model: str
    """Empty for a wildcard."""
    provider: str
    is_internal: bool = False
    routes: Mapping[str, ModelRoute] = field(default_factory=dict)
    """By client API."""

    @property
    def is_wildcard(self) -> bool:
        """Whether it stands for every model of its provider."""
        return self.name.endswith("/*")


@dataclass(frozen=True, slots=True)
class Share:
    """One of the models that share the requests of an alias."""

    model: Model
    until: int
    """Sum of the weights up to and with this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whose key Envoy has checked, and what they may use."""

    name: str
    models: frozenset[str] | None = None
    """Names of models and aliases, or `provider/*`. None: all."""
    agents: frozenset[str] | None = None
    """Ids. None: all."""

    def may_ask(self, *names: str) -> bool:
        """Tell whether a model may be asked for that has these names."""
        if self.models is None:
            return True
        return any(name in self.models or f"{name.partition('/')[0]}/*" in self.models for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orchestrator:
    """The model that chooses agents, and how it is reached."""

    model: str
    """Its configured name."""
    upstream_model: str
    """What its provider is sent."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """At the provider, `{model}` already replaced."""
    timeout_seconds: float
    context_length: int
    """Budget of the prompt, in tokens (estimated as bytes / 4)."""
    api: str = "chat_completions"
    """How it is asked; decision models by `decisions` or `systemone`."""
    threshold: float = 0.5
    """Probability from which on an agent fits, if it is a decision model."""
    cache_seconds: float = 0.0
    """How long the same question is not asked again; 0: it always is."""
    tells_earlier: bool = False
    """Whether it sees who answered earlier in the conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingModel:
    """The model whose embeddings tell what is meant, and how it is reached."""

    upstream_model: str
    """What its provider is sent."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """At the provider, `{model}` already replaced."""
    timeout_seconds: float
    is_built_in: bool = False
    """Whether it is the small model in a process beside the workers."""


class SourceKind(StrEnum):
    """What a source tells."""

    COST = "cost"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who tells prices or latencies of models."""

    kind: SourceKind
    feed: str
    """Format of its answer: `models.dev`, `digitalocean` or `prometheus`."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """With its query."""
    interval_seconds: float = 0.0
    """Between questions; 0 asks until it has answered once."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Names of a catalogue -> names of models."""

    @property
    def policy(self) -> str:
        """The way of ranking models that it is needed for."""
        return "cheapest" if self.kind is SourceKind.COST else "fastest"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTables:
    """Every spelling under which a model can be asked for."""

    exact: Mapping[str, Model] = field(default_factory=dict)
    """By configured name, `openai/gpt-4o`. Internal models are not in here, wildcards neither."""
    bare: Mapping[str, Model] = field(default_factory=dict)
    """By bare id, `gpt-4o`."""
    aliases: Mapping[str, Model] = field(default_factory=dict)
    splits: Mapping[str, tuple[Share, ...]] = field(default_factory=dict)
    """Aliases whose requests several models share."""
    wildcards: Mapping[str, Model] = field(default_factory=dict)
    """By provider prefix, `openai`."""
    own_ids: tuple[tuple[str, Model], ...] = ()
    """How bare ids begin, and the wildcard that they can mean; `o1-` stands for `o1` as well."""
    hidden: frozenset[str] = frozenset()
    """Names of internal models: not to be asked for, not even through a wildcard."""
    default: Model | None = None
