"""Rate limits and state storage."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.config.model.types import SecretText, Section, Text


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
