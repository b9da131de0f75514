"""Chains for `routing_preferences` in a request: any models in any order, known only at run time.

Such a chain has no members: ext_proc takes them from the request. There is one if routing is configured, for each client API
of conversations.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from control_plane import ir
from control_plane.config.model import Listener, PlanoConfig
from control_plane.gateway.attempt_routes import build_attempt_route
from control_plane.gateway.chains import FIRST_BYTE_SECONDS
from control_plane.gateway.models import ProviderEntry
from control_plane.gateway.resilience import build_circuit_breaker, connect_timeout, idle_timeout, whole_timeout
from control_plane.gateway.retries import chain_retries, model_failover, model_retry
from control_plane.ir import names
from protos.contract.apis import TRANSLATIONS

_MODELS: Final = 4
"""Default number of models in a ranking, whose real length is not known here."""


def ranks_for_requests(config: PlanoConfig) -> bool:
    """Whether requests with preferences of their own fail over along their rankings."""
    return bool(config.routing_preferences or config.overrides.llm_routing_model)


def build_ranked_chains(config: PlanoConfig) -> Iterator[ir.Chain]:
    """Build the chains, one for each client API."""
    if not ranks_for_requests(config):
        return
    settings = config.overrides.resilience
    for api in sorted(TRANSLATIONS):
        yield ir.Chain(
            name=names.ranked(api),
            members=(),
            client_api=api,
            first_byte_timeout_seconds=settings.timeouts.first_byte or FIRST_BYTE_SECONDS,
            connect_timeout_seconds=connect_timeout(settings, config.overrides),
            circuit_breaker=build_circuit_breaker(settings),
        )


def build_ranked_routes(chains: Iterable[ir.Chain], listener: Listener, config: PlanoConfig) -> Iterator[ir.Route]:
    """Build the routes of a model listener to the chains, without the client's own credentials."""
    settings = config.overrides.resilience
    response_seconds = whole_timeout(settings, listener.timeout, models=_MODELS)
    retries = chain_retries(model_failover(_MODELS, settings), settings, listener.max_retries)
    for chain in chains:
        route = ir.Route(
            name=chain.name,
            cluster=chain.name,
            total_timeout_seconds=settings.timeouts.total,
            response_timeout_seconds=response_seconds,
            idle_timeout_seconds=idle_timeout(settings, listener.idle_timeout, response_seconds),
            retry=model_retry(settings, retries),
            keeps_credentials=False,
        )
        yield route
        seconds = min(listener.timeout, chain.first_byte_timeout_seconds)
        yield replace(route, name=names.stream(chain.name), response_timeout_seconds=seconds)


def build_ranking_routes(entries: Iterable[ProviderEntry], config: PlanoConfig) -> Iterator[ir.Route]:
    """Build the routes of the attempts listener to the models' own clusters."""
    if not ranks_for_requests(config):
        return
    for entry in entries:
        if entry.is_internal or entry.keeps_credentials or entry.entry.is_wildcard:
            continue
        for group in entry.groups():
            yield build_attempt_route(names.failover_target(group.name), group.name, instances=len(entry.instances))
