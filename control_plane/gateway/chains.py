"""Chains of models: the order of attempts for one client API, where a plain route does not suffice.

An entry has a chain for a client API if it has fallbacks that serve that API, if its requests are translated, or if its answers
are checked.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from control_plane import ir
from control_plane.config.model import Listener, Overrides
from control_plane.gateway.models import ProviderEntry, find_entry, times_streams
from control_plane.gateway.resilience import build_circuit_breaker, connect_timeout, idle_timeout, settings_of, whole_timeout
from control_plane.gateway.retries import chain_retries, model_failover, model_retry
from control_plane.ir import names
from protos.contract.apis import TRANSLATIONS, UPSTREAM_ONLY
from protos.contract.passthrough import PASSTHROUGH

SILENCE_SECONDS = 30.0
"""Default of `resilience.timeouts.idle` for resumable streams, in seconds."""

CHAT_COMPLETIONS, MESSAGES = "chat_completions", "messages"

FIRST_BYTE_SECONDS = 12.0
"""Default timeout of a stream's first token before failover, in seconds."""


def upstream_api(client_api: str, entry: ProviderEntry) -> str | None:
    """Choose the upstream API of an entry: the client's own, or the best one for a translation.

    A compatibility endpoint of the client's API loses fields that it does not support, so a translation is preferred.
    """
    spoken = entry.provider.apis
    order = entry.entry.apis or TRANSLATIONS.get(client_api, ())
    choices = [api for api in (client_api, *order) if api in spoken and (api == client_api or _translates(client_api, api))]
    best = min(choices, key=lambda api: spoken[api].is_imitation, default=None)
    if best in (None, client_api):
        return best
    tools_api = entry.quirks(best).tools_api
    return tools_api if tools_api in choices else best


def _translates(client_api: str, api: str) -> bool:
    return api in TRANSLATIONS.get(client_api, ())


def served_apis(entry: ProviderEntry) -> list[str]:
    """Return the client APIs that an entry can serve, sorted."""
    return sorted(api for api in {*entry.provider.apis, *TRANSLATIONS} - UPSTREAM_ONLY if upstream_api(api, entry) is not None)


def build_chains(
    name: str, primary: ProviderEntry, fallbacks: Iterable[ProviderEntry], overrides: Overrides, *, model: str = ""
) -> dict[str, ir.Chain]:
    """Build the chains that begin with one entry, by client API; `model` names those of a weighted alias."""
    entries = (primary, *fallbacks)
    chains: dict[str, ir.Chain] = {}
    for api in served_apis(primary):
        if api in PASSTHROUGH:
            continue
        members = tuple(_members(entries, api))
        if len(members) > 1 and api in TRANSLATIONS:
            members = tuple(_resumable(member, entries, api) for member in members)
        is_looked_at = primary.quirks(api).streams_only or (primary.checks_answers(overrides) and api in TRANSLATIONS)
        if len(members) > 1 or members[0].api != api or is_looked_at:
            variant = f"{model},{api}" if model else api
            chains[api] = _chain(names.chain(name, variant), api, members, primary, overrides)
    return chains


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedModel:
    """An entry and its own chains, by client API."""

    entry: ProviderEntry
    chains: Mapping[str, ir.Chain]
    times_streams: bool
    """Whether the first token of a stream has its own timeout, without a chain."""


def chained_models(entries: tuple[ProviderEntry, ...], overrides: Overrides) -> tuple[ChainedModel, ...]:
    """Pair each entry with its chains; the gateway's routing model has none, because ext_proc calls it directly."""
    return tuple(
        ChainedModel(
            entry=entry,
            chains=_own_chains(entry, entries, overrides),
            times_streams=times_streams(entry, overrides),
        )
        for entry in entries
    )


def all_chains(models: Iterable[ChainedModel]) -> Iterator[ir.Chain]:
    """Yield the chains that belong to models."""
    for model in models:
        yield from model.chains.values()


def _own_chains(entry: ProviderEntry, entries: tuple[ProviderEntry, ...], overrides: Overrides) -> dict[str, ir.Chain]:
    if entry.is_internal:
        return {}
    fallbacks = [find_entry(entries, name) for name in entry.entry.fallbacks]
    chains = build_chains(entry.name, entry, [fallback for fallback in fallbacks if fallback is not None], overrides)
    if CHAT_COMPLETIONS in entry.provider.apis and CHAT_COMPLETIONS not in chains and entry.takes_tools_elsewhere:
        members = tuple(_members([entry], CHAT_COMPLETIONS))
        chain = _chain(names.chain(entry.name, f"{CHAT_COMPLETIONS},tools"), CHAT_COMPLETIONS, members, entry, overrides)
        chains[CHAT_COMPLETIONS] = replace(chain, for_tools=True)
    return chains


def _members(entries: Iterable[ProviderEntry], client_api: str) -> Iterator[ir.ChainMember]:
    """Yield the entries that can serve a client API, in order."""
    for entry in entries:
        api = upstream_api(client_api, entry)
        if api is not None:
            yield ir.ChainMember(cluster=entry.cluster_of(api), model=entry.name, api=api, instances=len(entry.instances))


def _resumable(member: ir.ChainMember, entries: tuple[ProviderEntry, ...], client_api: str) -> ir.ChainMember:
    """Return how a member can resume an answer: the API in which it accepts a prefill."""
    entry = next(entry for entry in entries if entry.name == member.model)
    takes_it_up = (
        client_api == CHAT_COMPLETIONS and MESSAGES in entry.provider.apis and entry.quirks(MESSAGES).resume_method == "prefill"
    )
    api = MESSAGES if takes_it_up else member.api
    cluster = entry.cluster_of(api)
    return replace(member, resumed=names.resumed(member.model, client_api), resumed_api=api, resumed_cluster=cluster)


def _chain(name: str, api: str, members: tuple[ir.ChainMember, ...], primary: ProviderEntry, overrides: Overrides) -> ir.Chain:
    settings = settings_of(primary.entry.resilience, overrides)
    fails_over = len(members) > 1
    return ir.Chain(
        name=name,
        members=members,
        client_api=api,
        first_byte_timeout_seconds=settings.timeouts.first_byte or (FIRST_BYTE_SECONDS if fails_over else 0.0),
        silence_seconds=settings.timeouts.idle or SILENCE_SECONDS,
        connect_timeout_seconds=connect_timeout(settings, overrides),
        circuit_breaker=build_circuit_breaker(settings),
    )


def build_chain_routes(chain: ir.Chain, primary: ProviderEntry, listener: Listener, overrides: Overrides) -> Iterator[ir.Route]:
    """Build the routes of a model listener to a chain, with the timeouts and credentials of its first entry.

    A whole answer may take long until its first byte; the timeout for the first token of a stream is shorter.
    """
    yield _chain_route(chain, primary, listener, overrides)
    if chain.first_byte_timeout_seconds:
        yield build_stream_route(chain, primary, listener, overrides)


def build_stream_route(chain: ir.Chain, primary: ProviderEntry, listener: Listener, overrides: Overrides) -> ir.Route:
    """Build the route for requests that ask for a stream."""
    route = _chain_route(chain, primary, listener, overrides)
    settings = settings_of(primary.entry.resilience, overrides)
    seconds = min(listener.timeout, chain.first_byte_timeout_seconds or listener.timeout)
    return replace(
        route,
        name=names.stream(chain.name),
        response_timeout_seconds=seconds,
        idle_timeout_seconds=idle_timeout(settings, listener.idle_timeout, seconds),
        can_detach=all(member.api == chain.client_api for member in chain.members) and not primary.checks_answers(overrides),
    )


def _chain_route(chain: ir.Chain, primary: ProviderEntry, listener: Listener, overrides: Overrides) -> ir.Route:
    settings = settings_of(primary.entry.resilience, overrides)
    response_seconds = whole_timeout(settings, listener.timeout, models=len(chain.members))
    retries = chain_retries(model_failover(len(chain.members), settings), settings, listener.max_retries)
    return ir.Route(
        name=chain.name,
        cluster=chain.name,
        total_timeout_seconds=settings.timeouts.total,
        response_timeout_seconds=response_seconds,
        idle_timeout_seconds=idle_timeout(settings, listener.idle_timeout, response_seconds),
        retry=model_retry(settings, retries),
        keeps_credentials=primary.keeps_credentials,
    )
