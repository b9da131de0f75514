"""`routing_preferences` -> chains: one for each order in which the models of a preference may have to be tried.

Envoy's chains are fixed, while prices and latencies, and so the ranking, change. So there is a chain for each order that
matters: for each model that can come first, and where a policy ranks them, for each pair that can come first and second. What
such an order leaves open is tried as declared. See docs/adr/0008-a-chain-per-order-of-a-preference.md.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

from control_plane.build.chains import build_chains
from control_plane.build.models import ProviderEntry, build_chain_choices, find_entry
from control_plane.config.model import Overrides, RoutingPreference
from control_plane.ir import model as ir
from control_plane.ir import names
from ext_proc.contract import TRANSLATIONS

MOST_EXACT = 5
"""With more models only the first place is exact: pairs grow with the square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a preference tries when its models are ranked so."""

    leading: tuple[str, ...]
    """Names of the models that it begins with."""
    entry: ProviderEntry
    """The first of them."""
    chains: Mapping[str, ir.Chain]
    """By client API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedPreference:
    """A preference and its chains."""

    preference: RoutingPreference
    models: tuple[str, ...]
    """Names of entries, as declared."""
    orders: tuple[Order, ...]

    def plan(self) -> ir.PreferencePlan:
        """Build what ext_proc must know of it."""
        return ir.PreferencePlan(
            name=self.preference.name,
            description=self.preference.description,
            models=self.models,
            prefer=_prefer(self.preference),
            orders=tuple(map(_plan_order, self.orders)),
        )


def build_preferences(
    preferences: Iterable[RoutingPreference], entries: tuple[ProviderEntry, ...], overrides: Overrides
) -> tuple[OrderedPreference, ...]:
    """Build the preferences in the declared order; those of one model need no chains beside its own."""
    return tuple(_ordered(preference, entries, overrides) for preference in preferences)


def preference_chains(preferences: Iterable[OrderedPreference]) -> Iterator[tuple[ProviderEntry, ir.Chain]]:
    """Yield the chains that belong to preferences, with their first entries."""
    for preference in preferences:
        for order in preference.orders:
            for chain in order.chains.values():
                yield order.entry, chain


def _ordered(preference: RoutingPreference, entries: tuple[ProviderEntry, ...], overrides: Overrides) -> OrderedPreference:
    found = [entry for entry in (find_entry(entries, name) for name in preference.models) if entry is not None]
    places = 2 if _prefer(preference) and 2 < len(found) <= MOST_EXACT else 1
    name = names.preference(preference.name)
    orders = [_order(name, leading, found, entries, overrides) for leading in permutations(found, places) if len(found) > 1]
    return OrderedPreference(
        preference=preference,
        models=tuple(entry.name for entry in found),
        orders=tuple(sorted((order for order in orders if order.chains), key=lambda order: order.leading)),
    )


def _order(
    name: str,
    leading: tuple[ProviderEntry, ...],
    declared: list[ProviderEntry],
    entries: tuple[ProviderEntry, ...],
    overrides: Overrides,
) -> Order:
    first = leading[0]
    own = (find_entry(entries, fallback) for fallback in first.entry.fallbacks)
    tried = {
        entry.name: entry for entry in (*leading, *declared, *own) if entry is not None and _share_credentials(first, entry)
    }
    begins = tuple(entry.name for entry in leading)
    _, *others = tried.values()
    chains = build_chains(name, first, others, overrides, model=",".join(begins))
    # Embeddings and the like say nothing that preferences could be matched with.
    return Order(leading=begins, entry=first, chains={api: chain for api, chain in chains.items() if api in TRANSLATIONS})


def _share_credentials(one: ProviderEntry, other: ProviderEntry) -> bool:
    """Tell if a client's own credentials may go to both, or to neither."""
    if one.keeps_credentials or other.keeps_credentials:
        return one.keeps_credentials and other.keeps_credentials and one.entry.provider == other.entry.provider
    return True


def _prefer(preference: RoutingPreference) -> str:
    policy = preference.selection_policy
    return policy.prefer if policy and policy.prefer != "none" else ""


def _plan_order(order: Order) -> ir.PreferenceOrder:
    routes = build_chain_choices(order.chains)
    return ir.PreferenceOrder(models=order.leading, routes=tuple(routes[api] for api in sorted(routes)))
