"""Asks the orchestrator model, and says in one word how that went."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestratorModel:
    """Where the orchestrator model is, and its limits."""

    route: str
    """Envoy route of the model's chat completions."""
    path: str
    """Path at the provider, complete: `/v1/chat/completions`."""
    upstream_model: str
    timeout_seconds: float
    context_length: int
    """Budget of the prompt, in tokens (bytes / 4)."""
