"""The gateway as values: listeners, routes, clusters, and what ext_proc must know. Built by `build`, translated by `xds`.

Everything is frozen and finished; validation happened before. Names come from `names.py` alone.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from control_plane.ir.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address that a cluster sends to."""

    host: str
    """IP address or DNS name."""
    port: int
    weight: int = 1
    """Share of the requests, relative to the cluster's other endpoints."""
    is_canary: bool = False
    """Whether it serves a new version: Envoy counts its requests apart."""
    host_header: str = ""
    """What it sees as Host; empty for what the cluster says."""


class LoadBalancing(StrEnum):
    """How the next endpoint of a cluster is chosen."""

    ROUND_ROBIN = "round_robin"
    LEAST_REQUEST = "least_request"
    RANDOM = "random"
    RING_HASH = "ring_hash"
    """By a request header, so that equal values meet the same endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """What one cluster may have under way at a time; more is refused at once. Envoy's defaults are too low for one core."""

    max_connections: int = 10_000
    max_pending_requests: int = 10_000
    max_requests: int = 10_000
    max_retries: int | None = None
    """Retries under way at a time; None leaves them to the budget."""
    retry_budget_percent: float = 20.0
    """Retries under way at a time, as a part of the requests under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlierDetection:
    """When an endpoint that fails is left alone, and how long."""

    consecutive_errors: int
    ejection_seconds: float
    max_ejection_percent: int
    """Never more of a cluster's endpoints at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Envoy asks each endpoint whether it is well."""

    path: str
    interval_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamTls:
    """TLS towards an upstream, which is always verified."""

    sni: str
    ca_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedHeader:
    """A request header whose value is a secret: Envoy fetches it over SDS and sets it on each attempt."""

    header: str
    secret_name: str
    value: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One upstream. Becomes one Envoy Cluster of the same name, and its endpoints if they are IP addresses."""

    name: str
    endpoints: tuple[Endpoint, ...]
    host_header: str
    """What the upstream sees as Host."""
    connect_timeout_seconds: float
    tls: UpstreamTls | None = None
    """None means plaintext."""
    injected_headers: tuple[InjectedHeader, ...] = ()
    load_balancing: LoadBalancing = LoadBalancing.LEAST_REQUEST
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    outlier_detection: OutlierDetection | None = None
    """None ejects nothing."""
    health_check: HealthCheck | None = None
    """None asks nothing: requests tell who is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainMember:
    """One attempt of a chain: which upstream is tried, and as what."""

    cluster: str
    agent: str = ""
    """Id of the agent that is tried; empty for a model."""
    model: str = ""
    """Name of the model that is tried (`ir.Model.name`); empty for an agent."""
    api: str = ""
    """API that the model is spoken to; it differs from the client's where the attempt is translated."""
    path_prefix: str = ""
    """Agents: the path of its URL, which all members of a chain share."""
    resumed: str = ""
    """Route by which it continues streams that another member has begun; empty for agents, and where none are."""
    resumed_api: str = ""
    """API that it is spoken to there: the one in which it takes up a started answer, if there is one."""
    resumed_cluster: str = ""
    """Cluster that is reached in that API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Upstreams that are tried one after another, as far as they are well. Becomes one Envoy Cluster of the same name."""

    name: str
    members: tuple[ChainMember, ...]
    """In order. Each retry goes to the next one that is well and was not tried yet, then around again."""
    client_api: str = ""
    """API of the requests; empty for agents, which get what the client sent."""
    first_byte_timeout_seconds: float = 0.0
    """Bounds the wait for the first byte of a streamed answer, per attempt; 0 leaves it to the route."""
    silence_seconds: float = 0.0
    """How long a stream that can be continued may be silent before it counts as cut."""
    connect_timeout_seconds: float = 5.0
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When Envoy tries again."""

    on: tuple[str, ...]
    """Envoy's retry_on words."""
    statuses: tuple[int, ...] = ()
    attempts: int = 0
    """Retries after the first attempt, unless `x-envoy-max-retries` of a trusted caller says otherwise."""
    base_backoff_seconds: float = 0.05
    """Wait before the first retry, jittered; each further one may take twice as long."""
    max_backoff_seconds: float = 1.0
    honours_retry_after: bool = True
    """Whether an upstream that says when to come back is obeyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What happens to a request whose `x-plano-route` is this route's name."""

    name: str
    cluster: str
    """Name of a cluster or of a chain."""
    hash_header: str = ""
    """Request header that a ring_hash cluster chooses by."""
    path_prefix: str = ""
    """Put before the request's path: the path of the upstream's URL, without a trailing slash."""
    total_timeout_seconds: float = 0.0
    """Bounds the whole exchange, all attempts included; 0 does not."""
    response_timeout_seconds: float
    """Bounds the time to the response headers, per attempt; never cuts a stream."""
    idle_timeout_seconds: float
    """Bounds silence."""
    retry: Retry
    keeps_credentials: bool
    """Whether the client's own credentials reach this upstream."""
    takes_decided_path: bool = False
    """Whether ext_proc names the path: models, whose providers have paths of their own."""
    default_headers: tuple[tuple[str, str], ...] = ()
    """Set unless the request has them, sorted by name (`anthropic-version`)."""
    is_continued: bool = False
    """Whether ext_proc answers, from the egress listener's route of the same name, and continues what is cut."""


class ListenerKind(StrEnum):
    """Who is served."""

    AGENT = "agent"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One port that clients connect to, and the routes that its requests can take."""

    name: str
    kind: ListenerKind
    address: str
    port: int
    routes: tuple[Route, ...]
    decision_timeout_seconds: float
    """Bounds what ext_proc may take for one message: filters and the orchestrator included."""
    shows_headers: bool = False
    """Whether decisions need all of a request's headers, because filters get them. Costs ext_proc a second message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """Envoy's internal listener, for Python's own calls."""

    address: str
    """`unix:///path` or `127.0.0.1:15001`: where Envoy listens."""
    url: str
    """Where ext_proc finds it."""
    routes: tuple[Route, ...]


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
    tool: str
    path: str
    """Path of its URL, without a trailing slash."""
    passthrough_auth: bool
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChoice:
    """An agent as one listener offers it."""

    id: str
    description: str
    route: str
    is_default: bool
    input_filters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRoute:
    """How one client API of a model reaches its provider."""

    api: str
    route: str
    path: str
    """At the provider; `{model}` stands for the upstream model. Empty where the attempt stage sets it."""
    stream_route: str = ""
    """Where requests for a stream go; empty for where all go."""
    by_attempt: bool = False
    """Whether the attempt stage edits the body, which then leaves the decide stage as it came."""
    continued: str = ""
    """Route of streams that are continued when they are cut, for listeners that do so; empty: they are not."""
    silence_seconds: float = 0.0
    """How long such a stream may be silent before it counts as cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How a provider differs from others that speak the same API; what is unset is the translation's default."""

    max_tokens_field: str = ""
    """`max_completion_tokens` or `max_tokens`."""
    cache_markers: str = ""
    """`none`, `cache_control` or `prompt_cache_breakpoint`."""
    reasoning_history: str = ""
    """`none`, `reasoning_content` or `reasoning_details`."""
    joins_text: bool = False
    """Whether it takes the texts of a message as one string only."""
    takes_up: str = ""
    """How it takes up a started answer: `prefill` (Messages: it goes on after a last message of the assistant), `partial`
    (Chat Completions: that message is marked so) or `prefix` (marked so, and said again first); empty if it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTarget:
    """An API that a model's provider speaks, for the attempt stage."""

    api: str
    path: str
    """At the provider; `{model}` stands for the upstream model."""
    quirks: Quirks = field(default_factory=Quirks)


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasShare:
    """One of the models that share the requests of an alias."""

    model: str
    weight: int = 1
    routes: tuple[ModelRoute, ...] = ()
    """Where the alias has fallbacks of its own: they stand in for the model's routes of the same APIs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasPlan:
    """An alias that has fallbacks of its own, or is split; any other is in `Gateway.aliases` alone."""

    alias: str
    shares: tuple[AliasShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that clients can ask for."""

    name: str
    """`openai/gpt-4o`, or `openai/*`."""
    upstream_model: str
    """Empty for a wildcard."""
    provider: str
    is_default: bool
    is_internal: bool
    routes: tuple[ModelRoute, ...]
    """One per client API that can be served."""
    targets: tuple[ModelTarget, ...] = ()
    """One per API that the provider speaks, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orchestrator:
    """The model that chooses agents."""

    model: str
    timeout_seconds: float
    context_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerPlan:
    """What ext_proc must know of a listener."""

    name: str
    kind: ListenerKind
    agents: tuple[AgentChoice, ...] = ()
    input_filters: tuple[str, ...] = ()
    continues_streams: bool = False
    """Whether streams are continued elsewhere when they are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Everything that one configuration asks for. Every tuple is sorted by name, agents of a plan excepted (declared order)."""

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
