"""The gateway as values: listeners, routes, clusters, and what ext_proc must know. Built by `build`, translated by `xds`.

Everything is frozen and finished; validation happened before. Names come from `names.py` alone.
"""

from dataclasses import dataclass
from enum import StrEnum

from control_plane.ir.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address that a cluster sends to."""

    host: str
    """IP address or DNS name."""
    port: int
    weight: int = 1


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When Envoy tries again."""

    on: tuple[str, ...]
    """Envoy's retry_on words."""
    statuses: tuple[int, ...] = ()
    attempts: int = 0
    """Retries after the first attempt, unless `x-envoy-max-retries` of a trusted caller says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What happens to a request whose `x-plano-route` is this route's name."""

    name: str
    cluster: str
    path_prefix: str = ""
    """Put before the request's path: the path of the upstream's URL, without a trailing slash."""
    response_timeout_seconds: float
    """Bounds the time to the response headers, per attempt; never cuts a stream."""
    idle_timeout_seconds: float
    """Bounds silence."""
    retry: Retry
    keeps_credentials: bool
    """Whether the client's own credentials reach this upstream."""
    default_headers: tuple[tuple[str, str], ...] = ()
    """Set unless the request has them, sorted by name (`anthropic-version`)."""


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
    """At the provider; `{model}` stands for the upstream model."""


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
