"""Ports that clients connect to, and their routes."""

from dataclasses import dataclass
from enum import StrEnum

from control_plane.ir.rate_limit import RateLimit
from control_plane.ir.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When Envoy tries again."""

    on: tuple[str, ...]
    """Envoy's retry_on conditions."""
    statuses: tuple[int, ...] = ()
    attempts: int = 0
    """Retries after the first attempt; `x-envoy-max-retries` of a trusted caller overrides it."""
    base_backoff_seconds: float = 0.05
    """Back-off before the first retry, jittered; it doubles for each further one."""
    max_backoff_seconds: float = 1.0
    honours_retry_after: bool = True
    """Whether `retry-after` of an upstream is honoured."""
    longest_wait_seconds: float = 0.0
    """Longest `retry-after` to wait for, if another model is available."""
    on_own_fault: bool = True
    """Whether to fail over if a provider rejects the gateway's own key, account or model name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The handling of requests whose `x-plano-route` is this route's name."""

    name: str
    cluster: str
    """Name of a cluster or of a chain."""
    hash_header: str = ""
    """Request header for a ring_hash cluster."""
    path_prefix: str = ""
    """Put before the request's path: the path of the upstream's URL, without a trailing slash."""
    total_timeout_seconds: float = 0.0
    """Timeout of the whole exchange, including all attempts; 0: none."""
    response_timeout_seconds: float
    """Timeout of the response headers, per attempt."""
    idle_timeout_seconds: float
    """Idle timeout."""
    retry: Retry
    keeps_credentials: bool
    """Whether the client's own credentials are sent to this upstream."""
    takes_decided_path: bool = False
    """Whether ext_proc sets the path, for providers with paths of their own."""
    default_headers: tuple[tuple[str, str], ...] = ()
    """Set unless the request has them, sorted by name (`anthropic-version`)."""
    can_detach: bool = False
    """Whether the attempt stage may detach from an answer: for chains, if no member needs translation."""
    is_native: bool = False
    """Whether Envoy alone sends plain calls here: ext_proc has already decided on those that it was to decide on."""
    is_resumable: bool = False
    """Whether ext_proc answers, by routes of the egress listener; then `cluster` is the first one of a stream."""


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
    """What a listener serves."""

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
    """A caller that a listener accepts."""

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
    """The web origins that may use a listener."""

    allow_origins: tuple[str, ...]
    """Sorted; `*` matches any part of one."""
    max_age_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One port that clients connect to, and its routes."""

    name: str
    kind: ListenerKind
    address: str
    port: int
    routes: tuple[Route, ...]
    decision_timeout_seconds: float
    """Timeout of ext_proc for one message, including filters and the orchestrator."""
    choosing_headers: tuple[str, ...] = ()
    """Request headers, in lower case, that influence the choice of a model: sent with the body."""
    hosts: tuple[str, ...] = ()
    """The allowed hosts, `*.` for all subdomains, sorted; empty: all."""
    rate_limits: tuple[RateLimit, ...] = ()
    """Sorted."""
    callers: tuple[Caller, ...] | None = None
    """The accepted callers, sorted by name; None: no authentication."""
    credential: Credential = Credential.API_KEY
    """What they are told by."""
    jwt: Jwt | None = None
    """None: no tokens are taken."""
    tls: DownstreamTls | None = None
    """None: plain HTTP."""
    cors: Cors | None = None
    """None: no other origins."""
    filters_answers: bool = False
    """Whether there are output filters: then no answer may bypass ext_proc."""
    native_path: NativePath | None = None
    """None: ext_proc decides on all requests."""
    shows_headers: bool = False
    """Whether decisions need all request headers, for filters. Costs ext_proc a second message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """Envoy's egress listener, for ext_proc's own calls."""

    address: str
    """`unix:///path` or `127.0.0.1:15001`: where Envoy listens."""
    url: str
    """Where ext_proc finds it."""
    routes: tuple[Route, ...]
