"""Callers, and which models and agents they may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A caller whose key Envoy has checked, and its permissions."""

    name: str
    models: frozenset[str] | None = None
    """Names of models and aliases, or `provider/*`. None: all."""
    agents: frozenset[str] | None = None
    """Ids. None: all."""

    def may_ask(self, *names: str) -> bool:
        """Whether a model with these names may be used."""
        if self.models is None:
            return True
        return any(name in self.models or f"{name.partition('/')[0]}/*" in self.models for name in names)
