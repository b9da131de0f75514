"""Callers, and which models and agents they may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whose key Envoy has checked, and what they may use."""

    name: str
    models: frozenset[str] | None = None
    """Names of models and aliases, or `provider/*`. None: all."""
    agents: frozenset[str] | None = None
    """Ids. None: all."""

    def may_ask(self, *names: str) -> bool:
        """Tell whether a model may be asked for that has these names."""
        if self.models is None:
            return True
        return any(name in self.models or f"{name.partition('/')[0]}/*" in self.models for name in names)
