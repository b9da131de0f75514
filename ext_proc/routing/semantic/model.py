"""The model whose embeddings tell what is meant."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingModel:
    """The model whose embeddings tell what is meant, and how it is reached."""

    upstream_model: str
    """What its provider is sent."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """At the provider, `{model}` already replaced."""
    timeout_seconds: float
    is_built_in: bool = False
    """Whether it is the small model in a process beside the workers."""
