"""Ports that clients connect to, and the routes that their requests can take."""

from dataclasses import dataclass
from enum import StrEnum

from control_plane.ir.rate_limit import RateLimit
from control_plane.ir.secret import Secret


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
    longest_wait_seconds: float = 0.0
    """For how long a model is waited for, where another one could be asked."""
    on_own_fault: bool = True
    """Whether another model is asked where a provider refuses the gateway's own key, account or model name."""


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
    can_detach: bool = False
    """Whether the attempt stage may detach from an answer and let the rest pass: a chain's, if no member needs translation."""
    is_native: bool = False
    """Whether Envoy alone sends plain calls here: ext_proc has already decided on those that it was to decide on."""
    is_resumable: bool = False
    """Whether ext_proc answers, from routes of the egress listener; then `cluster` is what a stream begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeModel:
    """A name of a model, and how Envoy sends plain calls for it to its provider."""

    path: str
    """Path that clients post to."""
    name: str
    """What they write as `model`; `openai/*` for all of a provider's models that have no entry of their own."""
    route: str
    """Empty: ext_proc is asked, though a wildcard would match."""
    upstream_path: str = ""
    upstream_model: str = ""
    """Empty for a wildcard."""
    entry: str = ""
    """Configured name of the model."""
    decision: str = ""
    words: tuple[str, ...] = ()
    """Parts of bodies that only ext_proc understands: with one of them a call is not plain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativePath:
    """Which calls of a model listener need no ext_proc."""

    models: tuple[NativeModel, ...]
    """Sorted."""
    callers: tuple[str, ...] | None
    """Names of those who may use all models, sorted; of the others ext_proc knows which. None: the listener asks for no key."""
    is_traced: bool
    """Whether Envoy begins and carries on traces; else each request is given the beginning of one."""


class ListenerKind(StrEnum):
    """Who is served."""

    AGENT = "agent"
    MODEL = "model"


class Credential(StrEnum):
    """What callers are told by."""

    API_KEY = "api_key"
    CERTIFICATE = "certificate"
    """Of their connection."""
    TOKEN = "token"  # noqa: S105 - a kind
    """JWT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwt:
    """Whose tokens are taken."""

    issuer: str
    audiences: tuple[str, ...]
    """Sorted."""
    claim: str
    """Tells the caller."""
    jwks_url: str = ""
    jwks_cluster: str = ""
    jwks_path: str = ""
    """File with the keys, in place of the URL and its cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whom a listener lets in."""

    name: str
    keys: tuple[Secret, ...]
    """What it is told by: API keys, names of certificates, or subjects of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownstreamTls:
    """Files that Envoy reads, and none of which is sent."""

    secret_name: str
    certificate_path: str
    key_path: str
    client_ca_path: str = ""
    """Empty: clients are asked for no certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """Which web pages may use a listener."""

    allow_origins: tuple[str, ...]
    """Sorted; `*` stands for anything within one."""
    max_age_seconds: float


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
    choosing_headers: tuple[str, ...] = ()
    """Request headers, in lower case, that say how a model is chosen: they come along with the body."""
    hosts: tuple[str, ...] = ()
    """Those that are served, `*.` before a name for all below it, sorted; none: all are."""
    rate_limits: tuple[RateLimit, ...] = ()
    """Sorted."""
    callers: tuple[Caller, ...] | None = None
    """Whom it lets in, sorted by name; None: everybody."""
    credential: Credential = Credential.API_KEY
    """What they are told by."""
    jwt: Jwt | None = None
    """None: no tokens are taken."""
    tls: DownstreamTls | None = None
    """None: plain HTTP."""
    cors: Cors | None = None
    """None: no page of another origin reads anything."""
    filters_answers: bool = False
    """Whether ext_proc shows answers to output filters: then no answer may reach the client past it."""
    native_path: NativePath | None = None
    """None: ext_proc decides on all requests."""
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
