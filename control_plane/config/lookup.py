"""Looks up names: defined ids, and models by the names that users write."""

from collections.abc import Iterator

from control_plane.config.model import ModelProvider, PlanoConfig
from control_plane.config.source.paths import Path


def defined_ids(config: PlanoConfig) -> Iterator[tuple[Path, str]]:
    """Yield the id of every agent and filter, with its entry's path: they share one set."""
    for index, agent in enumerate(config.agents):
        yield ("agents", index), agent.id
    for index, filter_ in enumerate(config.filters):
        yield ("filters", index), filter_.id


class ModelNames:
    """Finds the entry of `model_providers` that a name means; the first one if several match."""

    def __init__(self, config: PlanoConfig) -> None:
        self._exact: dict[str, ModelProvider] = {}
        self._bare: dict[str, ModelProvider] = {}
        self._wildcards: dict[str, ModelProvider] = {}
        for entry in config.model_providers:
            self._exact.setdefault(entry.model, entry)
            if entry.name:
                self._exact.setdefault(entry.name, entry)
            if entry.is_wildcard:
                self._wildcards.setdefault(entry.name or entry.provider, entry)
                self._wildcards.setdefault(entry.provider, entry)
            else:
                self._bare.setdefault(entry.upstream_model, entry)

    def find(self, name: str) -> ModelProvider | None:
        """Look up `provider/model`, the name of an entry, a bare model id, or a model that a wildcard covers."""
        found = self._exact.get(name) or self._bare.get(name)
        prefix, slash, rest = name.partition("/")
        return found or (self._wildcards.get(prefix) if slash and rest else None)

    def full_name(self, name: str) -> str:
        """Return what answers call the model that a name means; names that mean none stay."""
        entry = self.find(name)
        return name if entry is None or entry.is_wildcard else entry.name or entry.model

    def names(self) -> Iterator[str]:
        """Yield every name that `find` knows, wildcards as they are written."""
        yield from self._exact
        yield from self._bare

    def means(self, name: str) -> bool:
        """Whether a name belongs to an entry itself, not only to a wildcard."""
        return name in self._exact or name in self._bare
