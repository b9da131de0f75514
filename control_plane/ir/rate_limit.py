"""Token limits of models."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A token bucket: initially full, refilled steadily."""

    model: str
    """Name of a model."""
    header: str
    """Request header, in lower case, that identifies the client."""
    value: str
    """Header value of the bucket; empty: one bucket per value, except values with a limit of their own."""
    tokens: int
    """Capacity in tokens."""
    seconds: int
    """Seconds until an empty bucket is full again."""
