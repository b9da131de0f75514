"""`routing_preferences` -> chains, one for each model that can come first.

Prices and latencies, and so the ranking, change. The route is that of the first model; ext_proc selects the next ones along the
ranking (see `xds.cluster.failover`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from control_plane import ir
from control_plane.config.credentials import share_credentials
from control_plane.config.model import Overrides, RoutingPreference
from control_plane.gateway.agents import with_examples
from control_plane.gateway.chains import build_chains
from control_plane.gateway.models import ProviderEntry, build_chain_choices, find_entry
from control_plane.ir import names
from protos import filter_config_pb2 as pb
from protos.contract.apis import TRANSLATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The chains of a preference for one first model."""

    entry: ProviderEntry
    """The model."""
    chains: Mapping[str, ir.Chain]
    """By client API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedPreference:
    """A preference and its chains."""

    preference: RoutingPreference
    models: tuple[str, ...]
    """Names of entries, as declared."""
    starts: tuple[Start, ...]

    def plan(self) -> pb.Preference:
        """Build what ext_proc must know of it."""
        return pb.Preference(
            name=self.preference.name,
            description=with_examples(self.preference.description, self.preference.examples),
            models=self.models,
            prefer=_prefer(self.preference),
            starts=[_plan_start(start) for start in self.starts],
        )


def build_preferences(
    preferences: Iterable[RoutingPreference], entries: tuple[ProviderEntry, ...], overrides: Overrides
) -> tuple[ChainedPreference, ...]:
    """Build the preferences in the declared order; a preference with one model uses that model's chains."""
    return tuple(_chained(preference, entries, overrides) for preference in preferences)


def preference_chains(preferences: Iterable[ChainedPreference]) -> Iterator[tuple[ProviderEntry, ir.Chain]]:
    """Yield the chains that belong to preferences, with their first entries."""
    for preference in preferences:
        for start in preference.starts:
            for chain in start.chains.values():
                yield start.entry, chain


def _chained(preference: RoutingPreference, entries: tuple[ProviderEntry, ...], overrides: Overrides) -> ChainedPreference:
    found = [entry for entry in (find_entry(entries, name) for name in preference.models) if entry is not None]
    name = names.preference(preference.name)
    starts = [_start(name, first, found, entries, overrides) for first in found if len(found) > 1]
    return ChainedPreference(
        preference=preference,
        models=tuple(entry.name for entry in found),
        starts=tuple(sorted((start for start in starts if start.chains), key=lambda start: start.entry.name)),
    )


def _start(
    name: str, first: ProviderEntry, declared: list[ProviderEntry], entries: tuple[ProviderEntry, ...], overrides: Overrides
) -> Start:
    own = (find_entry(entries, fallback) for fallback in first.entry.fallbacks)
    tried = {
        entry.name: entry
        for entry in (first, *declared, *own)
        if entry is not None and share_credentials(first.entry, entry.entry)
    }
    _, *others = tried.values()
    chains = build_chains(name, first, others, overrides, model=first.name)
    # Embeddings and similar APIs have no conversation to match.
    return Start(entry=first, chains={api: chain for api, chain in chains.items() if api in TRANSLATIONS})


def _prefer(preference: RoutingPreference) -> str:
    policy = preference.selection_policy
    return policy.prefer if policy and policy.prefer != "none" else ""


def _plan_start(start: Start) -> pb.Start:
    routes = build_chain_choices(start.chains)
    return pb.Start(model=start.entry.name, routes=[routes[api] for api in sorted(routes)])
