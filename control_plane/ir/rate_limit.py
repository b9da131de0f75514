"""How many tokens some clients may use of a model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A bucket of tokens: full at first, and filled again steadily."""

    model: str
    """Name of a model."""
    header: str
    """Request header, in lower case, whose value says who uses them."""
    value: str
    """Whose bucket it is; empty for a bucket of each value's own, but for those that have a limit by name."""
    tokens: int
    """That it holds."""
    seconds: int
    """In which an empty one is full again."""
