"""Names that the control plane, Envoy and ext_proc must agree on. The only module of ext_proc that control_plane imports.

Headers carry one prefix, `x-plano-`. Plano's older `x-arch-` spellings are read from LEGACY_HEADERS and never sent.
"""

from collections.abc import Iterable
from typing import Final

FILTER_CONFIG_TYPE_URL: Final = "type.googleapis.com/plano.v1.FilterConfig"
"""The xDS resource type of `protos/filter_config.proto`."""

FILTER_CONFIG_NAME: Final = "filter_config"
"""Name of the one resource of that type."""

# gRPC metadata that each ext_proc filter sends, so that the service knows who asks.

STAGE_METADATA: Final = "x-plano-stage"
"""Which http_filter calls: see STAGE_DECIDE."""

LISTENER_METADATA: Final = "x-plano-listener"
"""Name of the listener that the request arrived on; `-bin` is not needed, names are checked to be visible ASCII."""

STAGE_DECIDE: Final = "decide"
"""Headers, then the body: for listeners whose filters get the client's headers."""

STAGE_DECIDE_BODY: Final = "decide_body"
"""One message, the body with REQUEST_ATTRIBUTES; or the headers of a request that is not a POST."""

REQUEST_ATTRIBUTES: Final = {
    "request.method": ":method",
    "request.path": ":path",
    "request.id": "x-request-id",
    "request.headers['traceparent']": "traceparent",
    "request.headers['tracestate']": "tracestate",
    "request.headers['content-encoding']": "content-encoding",
}
"""What Envoy says of the head beside a body that comes alone: CEL expression -> the header that it stands for.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
"""

AFFINITY_HEADER: Final = "x-model-affinity"
"""Names a session, which keeps the model that was decided for it."""

CACHE_HEADER: Final = "x-plano-cache"
"""`off`: the conversation implies no session, and its prompt is not marked for caching."""

SPEND_HEADER: Final = "x-plano-max-switch-spend-pct"
"""Stands in for the routing budget's `max_switch_spend_pct`."""

SESSION_HEADERS: Final = (AFFINITY_HEADER, CACHE_HEADER, SPEND_HEADER)
"""Request headers that say how a model is chosen; beside them, there may be a tenant's."""


def join_names(names: Iterable[str]) -> str:
    """Write names of models as one value of dynamic metadata, or of a header."""
    return _BETWEEN_NAMES.join(names)


def split_names(joined: str) -> tuple[str, ...]:
    """Read names of models from one value of dynamic metadata, or of a header."""
    return tuple(filter(None, joined.split(_BETWEEN_NAMES)))


_BETWEEN_NAMES: Final = "()"
"""Parentheses cannot occur in a configured name, and a line's end not in a header."""


def header_attribute(header: str) -> str:
    """Return the CEL expression of a request header."""
    return f"request.headers['{header}']"


ATTRIBUTES_NAMESPACE: Final = "envoy.filters.http.ext_proc"
"""Where Envoy puts the attributes of a message."""

STAGE_ATTEMPT: Final = "attempt"
"""An upstream http_filter: called once per attempt."""

STAGE_CONTINUE: Final = "continue"
"""An http_filter of routes whose streams are continued elsewhere when they are cut."""

STAGE_ERRORS: Final = "errors"
"""Part of an http_filter of model listeners: asked about providers' errors alone."""

# Attributes that the attempt stage asks Envoy for, one value each: a map would not arrive. Of the host that was picked.

ATTEMPT_MODEL: Final = "xds.upstream_host_metadata.filter_metadata['plano']['model']"
"""Name of the configured model."""

ATTEMPT_API: Final = "xds.upstream_host_metadata.filter_metadata['plano']['api']"
"""The API that it is sent."""

ATTEMPT_NUMBER: Final = "upstream.request_attempt_count"
"""1 for the first."""

ATTEMPT_ATTRIBUTES: Final = (ATTEMPT_MODEL, ATTEMPT_API, ATTEMPT_NUMBER)

# Dynamic metadata: what one stage knows and Envoy's routes, access log or a later stage need.

METADATA_NAMESPACE: Final = "plano"
METADATA_ROUTE: Final = "route"
METADATA_AGENT: Final = "agent"
METADATA_MODEL: Final = "model"
METADATA_DECISION: Final = "decision"
METADATA_API: Final = "api"
METADATA_UPSTREAM_MODEL: Final = "upstream_model"
"""What a wildcard's provider is sent, for attempts."""
METADATA_HAS_MODEL: Final = "has_model"
"""`true` if the body that decide left has a `model`, so that attempts need not parse it."""
METADATA_CACHE_FROM: Final = "cache_from"
"""Tokens of tools and instructions from which on attempts mark the prompt for their provider's cache; missing: they do not."""
METADATA_TOKENS: Final = "tokens"
"""Estimate of what the request has, for Envoy's rate limits; missing where there are none."""
METADATA_QUERY: Final = "query"
"""Of the client's path, with its question mark: for attempts at the client's own API."""
METADATA_SESSION: Final = "session"
"""Key of the request's session, where answers are to say how much of it a provider has cached."""
METADATA_ATTEMPTED: Final = "attempted"
"""The models of the attempts before, in order; one that was asked twice is there twice."""
METADATA_SENT_AT: Final = "sent_at"
"""When the last of them began, in seconds since 1970."""
METADATA_QUIET: Final = "quiet"
"""Those that did not answer in time: they are not asked again."""
METADATA_BOUNDS: Final = "bounds"
"""What BOUNDS_HEADER has said."""
METADATA_WAIT: Final = "wait"
"""For how long the last one asks to be left alone: its `retry-after`."""
METADATA_ORDER: Final = "order"
"""The order in which the models of the chain are tried, where it is not that of the configuration."""
METADATA_TOO_LONG: Final = "too_long"
"""The models whose context the request exceeds."""
METADATA_FAILURE: Final = "failure"
"""Why that attempt failed: a constant word."""
METADATA_BETAS: Final = "betas"
"""The client's header `anthropic-beta`, where an attempt before had to take it away."""
METADATA_WATCH: Final = "watch"
"""How much of a stream attempts look at where they may leave it: one of the following; all of it otherwise."""
WATCH_HEAD: Final = "head"
WATCH_GATE: Final = "gate"
"""Until it says something."""
WATCH_BEGINNING: Final = "beginning"
"""The same; whoever asked counts what it says."""
METADATA_PATH: Final = "path"
METADATA_TRACEPARENT: Final = "traceparent"
METADATA_TRACESTATE: Final = "tracestate"

TOLD_HEADERS: Final = {
    key: f"x-plano-told-{key.replace('_', '-')}"
    for key in (
        METADATA_ROUTE,
        METADATA_API,
        METADATA_UPSTREAM_MODEL,
        METADATA_HAS_MODEL,
        METADATA_CACHE_FROM,
        METADATA_QUERY,
        METADATA_SESSION,
        METADATA_WATCH,
        METADATA_ORDER,
    )
}
"""What decide leaves for attempts -> the header that tells it to those of ext_proc's own calls, on the egress listener."""

# Request headers inside the gateway: overwritten on entry, removed towards upstreams.

ROUTE_HEADER: Final = "x-plano-route"
"""Name of the Envoy route to take. Envoy's route tables match on nothing else."""

INTERNAL_HEADERS: Final = (ROUTE_HEADER,)
"""Removed from every downstream request before any http_filter sees it."""

# Response headers that clients may read.

AGENT_HEADER: Final = "x-plano-agent"
"""Id of the agent that answers."""

MODEL_HEADER: Final = "x-plano-model"
"""Name of the configured model that answers."""

DECISION_HEADER: Final = "x-plano-decision"
"""Which rung of the ladder decided, and why: `built_in_router; matched "weather", "london"`."""

ATTEMPTS_HEADER: Final = "x-plano-attempts"
"""How many attempts the answer took; 1 if the first one was good."""

ESTIMATE_HEADER: Final = "x-plano-token-count"
"""`estimate` on an answer to count_tokens that the gateway made itself: nobody counted exactly."""

REQUEST_ID_HEADER: Final = "x-request-id"
TRACEPARENT_HEADER: Final = "traceparent"
TRACESTATE_HEADER: Final = "tracestate"

LOCAL_REPLY_HEADER: Final = "x-plano-local-reply"
"""Set by the egress listener on Envoy's own answers, with its response flags: tells an upstream's own 503 from ours."""

DOWN_HEADER: Final = "x-plano-down"
"""Set beside it: `true` if an attempt has met nobody, because its target is known to be down."""

NOBODY: Final = "nobody"
"""Of an endpoint's metadata in the namespace `plano`: `true` where it stands for targets that are known to be down."""

RETRY_HEADER: Final = "x-plano-retry"
"""Set by the attempt stage on an answer that the next attempt may better; routes retry on it, and remove it."""

BOUNDS_HEADER: Final = "x-plano-bounds"
"""Set by routes to chains of models for the attempt stage, which removes it. How many attempts may follow the first one: what
the caller wants, `-` if nothing, and what is configured; then how many seconds each may take: `-;3;30`."""

RETRY_AFTER_HEADER: Final = "x-plano-retry-after"
"""Set by the attempt stage when only models are left that were asked already: routes wait that long, and remove it."""

UNCOUNTED_HEADER: Final = "x-plano-uncounted"
"""Set by an attempt that leaves a stream to WATCH_BEGINNING: its end and its usage were not seen."""

LEGACY_HEADERS: Final[dict[str, str]] = {}
"""Plano's older spellings of headers that clients may send -> ours."""

CREDENTIAL_HEADERS: Final = ("authorization", "x-api-key", "api-key", "cookie", "proxy-authorization")
"""A client's credentials: go only to the upstream that they are meant for."""

# Which client APIs a model of another API can serve. `ext_proc.translate.registry` does it; the control plane builds routes.

TRANSLATIONS: Final[dict[str, tuple[str, ...]]] = {
    "chat_completions": ("messages", "converse", "responses"),
    "messages": ("converse", "chat_completions", "responses"),
    "responses": ("chat_completions", "messages", "converse"),
}
"""Client API -> upstream APIs that can stand in for it, best first."""

UPSTREAM_ONLY: Final = frozenset({"converse"})
"""APIs that no client speaks."""
