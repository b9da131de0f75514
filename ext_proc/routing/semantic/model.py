"""The embedding model."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingModel:
    """The embedding model and its route."""

    upstream_model: str
    """Its upstream name."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """At the provider, `{model}` already replaced."""
    timeout_seconds: float
    is_built_in: bool = False
    """Whether it is the built-in model."""
