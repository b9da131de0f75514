"""`model_aliases` -> (alias, model): aliases of aliases are resolved here, so that ext_proc looks up once."""

from collections.abc import Iterator, Mapping

from control_plane.build.models import ProviderEntry, find_entry
from control_plane.config.model import ModelAlias


def build_aliases(aliases: Mapping[str, ModelAlias], entries: tuple[ProviderEntry, ...]) -> Iterator[tuple[str, str]]:
    """Yield each alias with the model that it stands for in the end, sorted by alias. Cycles are refused by the checks."""
    for alias in sorted(aliases):
        target = aliases[alias].first_target
        while target in aliases:
            target = aliases[target].first_target
        entry = find_entry(entries, target)
        yield alias, entry.name if entry else target
