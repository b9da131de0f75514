"""Dynamic metadata that a stage sets for Envoy's routes, its access log, or a later stage."""

from collections.abc import Iterable
from typing import Final


def join_names(names: Iterable[str]) -> str:
    """Write names of models as one value of dynamic metadata, or of a header."""
    return _BETWEEN_NAMES.join(names)


def split_names(joined: str) -> tuple[str, ...]:
    """Read names of models from one value of dynamic metadata, or of a header."""
    return tuple(filter(None, joined.split(_BETWEEN_NAMES)))


_BETWEEN_NAMES: Final = "()"
"""Configured names cannot contain parentheses, and headers cannot contain line ends."""

METADATA_NAMESPACE: Final = "plano"
METADATA_ROUTE: Final = "route"
METADATA_AGENT: Final = "agent"
METADATA_AGENTS: Final = "agents"
"""The agents that answer together, in order; missing if only one answers."""
METADATA_LISTENER: Final = "listener"
"""Name of these agents' listener."""
METADATA_MODEL: Final = "model"
METADATA_ENTRY: Final = "entry"
"""Configured name of the model, for statistics: that of a wildcard if METADATA_MODEL is one of its models."""
METADATA_DECISION: Final = "decision"
METADATA_API: Final = "api"
METADATA_UPSTREAM_MODEL: Final = "upstream_model"
"""Upstream name of a wildcard's model, for attempts."""
METADATA_HAS_MODEL: Final = "has_model"
"""`true` if the body after the decide stage has a `model`, so that attempts need not parse it."""
METADATA_CACHE_FROM: Final = "cache_from"
"""Minimum of tokens in tools and instructions for cache markers by attempts; missing: no markers."""
METADATA_TOKENS: Final = "tokens"
"""Estimate of the request's tokens, for Envoy's rate limits; missing if there are none."""
METADATA_STREAM: Final = "stream"
"""`true` if the client asks for a stream; missing: for a whole answer."""
METADATA_EXPECTS: Final = "expects"
"""The form of answer that the client of a plain route reads: one of the following; missing where any will do."""
EXPECTS_JSON: Final = "json"
EXPECTS_EVENTS: Final = "events"
METADATA_QUERY: Final = "query"
"""Query of the client's path, with its question mark, for attempts in the client's own API."""
METADATA_SESSION: Final = "session"
"""Key of the request's session, if the usage of the answer is to be recorded."""
METADATA_HISTORY: Final = "history"
"""The attempt history, as written by the attempt stage."""
METADATA_ORDER: Final = "order"
"""The order of the models of the chain, if it differs from the configuration."""
METADATA_WATCH: Final = "watch"
"""How much of a stream attempts read if they may detach: one of the following; by default all of it."""
WATCH_HEAD: Final = "head"
WATCH_GATE: Final = "gate"
"""Until it has content."""
WATCH_BEGINNING: Final = "beginning"
"""The same; the caller counts its usage."""
METADATA_PATH: Final = "path"
METADATA_TRACEPARENT: Final = "traceparent"
METADATA_TRACESTATE: Final = "tracestate"

FORWARDED_METADATA_HEADERS: Final = {
    key: f"x-plano-metadata-{key.replace('_', '-')}"
    for key in (
        METADATA_ROUTE,
        METADATA_API,
        METADATA_UPSTREAM_MODEL,
        METADATA_HAS_MODEL,
        METADATA_CACHE_FROM,
        METADATA_STREAM,
        METADATA_QUERY,
        METADATA_SESSION,
        METADATA_WATCH,
        METADATA_ORDER,
    )
}
"""Metadata of the decide stage for attempts -> the header that replaces it in ext_proc's own calls, on the egress listener."""

UNAVAILABLE: Final = "unavailable"
"""Key of an endpoint's metadata in the namespace `plano`: `true` for the endpoint that replaces ejected targets."""
