"""Dynamic metadata: what one stage leaves for Envoy's routes, its access log, or a later stage."""

from collections.abc import Iterable
from typing import Final


def join_names(names: Iterable[str]) -> str:
    """Write names of models as one value of dynamic metadata, or of a header."""
    return _BETWEEN_NAMES.join(names)


def split_names(joined: str) -> tuple[str, ...]:
    """Read names of models from one value of dynamic metadata, or of a header."""
    return tuple(filter(None, joined.split(_BETWEEN_NAMES)))


_BETWEEN_NAMES: Final = "()"
"""Parentheses cannot occur in a configured name, and a line's end not in a header."""

METADATA_NAMESPACE: Final = "plano"
METADATA_ROUTE: Final = "route"
METADATA_AGENT: Final = "agent"
METADATA_AGENTS: Final = "agents"
"""The agents that answer together, in order; missing where one answers."""
METADATA_LISTENER: Final = "listener"
"""Name of the listener whose agents they are."""
METADATA_MODEL: Final = "model"
METADATA_ENTRY: Final = "entry"
"""Configured name of the model, for statistics: that of a wildcard, where METADATA_MODEL names one of its models."""
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
METADATA_STREAM: Final = "stream"
"""`true` if the client asks for a stream; missing: for a whole answer."""
METADATA_EXPECTS: Final = "expects"
"""The form of answer that the client of a plain route reads: one of the following; missing where any will do."""
EXPECTS_JSON: Final = "json"
EXPECTS_EVENTS: Final = "events"
METADATA_QUERY: Final = "query"
"""Query of the client's path, with its question mark, for attempts at the client's own API."""
METADATA_SESSION: Final = "session"
"""Key of the request's session, where answers are to say how much of it a provider has cached."""
METADATA_HISTORY: Final = "history"
"""What the attempts before have left for the next one, as the attempt stage writes it."""
METADATA_ORDER: Final = "order"
"""The order in which the models of the chain are tried, where it is not that of the configuration."""
METADATA_WATCH: Final = "watch"
"""How much of a stream attempts look at where they may leave it: one of the following; all of it otherwise."""
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
"""What decide leaves for attempts -> the header that tells it to those of ext_proc's own calls, on the egress listener."""

UNAVAILABLE: Final = "unavailable"
"""Key of an endpoint's metadata in the namespace `plano`: `true` for the endpoint that stands in for ejected targets."""
