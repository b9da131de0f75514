"""Tracing, rate limits and state storage."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.config.model.types import SecretText, Section, Text


class SpanAttributes(Section):
    """What every span says."""

    header_prefixes: tuple[Text, ...] = ()
    """Request headers that begin so become attributes."""
    static: Annotated[dict[str, str], Field(default_factory=dict)]
    """Attributes with a fixed value."""


class Exporter(Section):
    """Where spans of model calls are sent besides the collector."""

    type: Literal["posthog"]
    """What receives them."""
    url: Text
    """Where it is."""
    api_key: SecretText
    """Its key; write it as `$VARIABLE`."""
    distinct_id_header: Text | None = None
    """Request header that identifies a user."""
    capture_messages: bool = False
    """Whether the user's message is sent, too."""


class Tracing(Section):
    """OpenTelemetry tracing."""

    random_sampling: Annotated[int, Field(ge=0, le=100)] | None = None
    """Percent of requests that are traced."""
    trace_arch_internal: bool = False
    """Whether internal calls are traced, too."""
    opentracing_grpc_endpoint: Text | None = None
    """Collector (OTLP over gRPC), `http://host:port`."""
    span_attributes: SpanAttributes | None = None
    """What every span says."""
    exporters: tuple[Exporter, ...] = ()
    """Where spans of model calls are sent besides."""


class RateLimitSelector(Section):
    """Whose requests are counted together."""

    key: Text
    """Name of a request header."""
    value: Text
    """Its value, or `*` for each value apart, but for those with a limit of their own. Without the header there is no limit."""


class TokenLimit(Section):
    """How many tokens in which time."""

    tokens: Annotated[int, Field(ge=1, le=1_000_000_000)]
    """Tokens of requests, each counted as four bytes of text. More at once are refused."""
    unit: Literal["second", "minute", "hour", "day"]
    """Time in which they may be used: what was used comes back steadily."""


class RateLimit(Section):
    """Tokens that some clients may use of a model."""

    model: Text
    """A model of `model_providers`, as `provider/model` or bare."""
    selector: RateLimitSelector
    """Whose requests are counted together."""
    limit: TokenLimit
    """How many tokens in which time."""


class StateStorage(Section):
    """Where conversations of the Responses API are kept."""

    type: Literal["memory", "postgres"]
    """In the process, or in PostgreSQL."""
    connection_string: SecretText | None = None
    """Where PostgreSQL is; needed for `postgres`."""
