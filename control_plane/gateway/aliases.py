"""`model_aliases` -> their models. Aliases of aliases are resolved here, so that ext_proc looks up once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from control_plane import ir
from control_plane.config.model import AliasTarget, ModelAlias, Overrides
from control_plane.gateway.chains import build_chains
from control_plane.gateway.models import ProviderEntry, build_chain_choices, find_entry
from protos import filter_config_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A target of an alias and its chains by client API; none where the model's own routes suffice."""

    entry: ProviderEntry
    weight: int
    chains: Mapping[str, ir.Chain]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedAlias:
    """An alias with fallbacks or with weighted targets."""

    name: str
    shares: tuple[Share, ...]

    def plan(self) -> list[pb.Share]:
        """Build what ext_proc must know of it."""
        return [_plan_share(share) for share in self.shares]


def build_aliases(
    aliases: Mapping[str, ModelAlias], entries: tuple[ProviderEntry, ...], shared: Iterable[SharedAlias]
) -> Iterator[pb.Alias]:
    """Yield each alias with its first model after resolution, sorted by alias."""
    shares = {alias.name: alias.plan() for alias in shared}
    for alias in sorted(aliases):
        target = _resolved(aliases, alias).first_target
        entry = find_entry(entries, target)
        yield pb.Alias(name=alias, model=entry.name if entry else target, shares=shares.get(alias))


def _resolved(aliases: Mapping[str, ModelAlias], name: str) -> ModelAlias:
    """Follow an alias to the one that names models; fallbacks of the first alias have precedence. Checks reject cycles."""
    alias = aliases[name]
    if alias.target is None or alias.target not in aliases:
        return alias
    last = _resolved(aliases, alias.target)
    return last.model_copy(update={"fallbacks": alias.fallbacks or last.fallbacks})


def build_shared_aliases(
    aliases: Mapping[str, ModelAlias], entries: tuple[ProviderEntry, ...], overrides: Overrides
) -> tuple[SharedAlias, ...]:
    """Build the aliases with fallbacks or weighted targets, sorted."""
    resolved = {name: _resolved(aliases, name) for name in sorted(aliases)}
    return tuple(
        SharedAlias(name=name, shares=tuple(_shares(name, alias, entries, overrides)))
        for name, alias in resolved.items()
        if alias.fallbacks or alias.targets
    )


def alias_chains(aliases: Iterable[SharedAlias]) -> Iterator[ir.Chain]:
    """Yield the chains that belong to aliases."""
    for alias in aliases:
        for share in alias.shares:
            yield from share.chains.values()


def _shares(name: str, alias: ModelAlias, entries: tuple[ProviderEntry, ...], overrides: Overrides) -> Iterator[Share]:
    fallbacks = [entry for entry in (find_entry(entries, model) for model in alias.fallbacks) if entry is not None]
    targets = alias.targets or (AliasTarget(model=alias.first_target),)
    for target in targets:
        entry = find_entry(entries, target.model)
        if entry is None:
            continue
        others = [other for other in fallbacks if other is not entry]
        model = entry.name if len(targets) > 1 else ""
        chains = build_chains(name, entry, others, overrides, model=model) if others else {}
        yield Share(entry=entry, weight=target.weight, chains=chains)


def _plan_share(share: Share) -> pb.Share:
    routes = build_chain_choices(share.chains)
    return pb.Share(model=share.entry.name, weight=share.weight, routes=[routes[api] for api in sorted(routes)])
