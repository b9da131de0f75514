"""The egress listener: routes of ext_proc's own calls, to filters and routing models."""

from collections.abc import Iterable
from dataclasses import replace

from control_plane import ir
from control_plane.config.model import Overrides, PlanoConfig, Resilience
from control_plane.gateway.agents import services
from control_plane.gateway.chains import ChainedModel
from control_plane.gateway.models import ProviderEntry, build_model, find_entry
from control_plane.gateway.resilience import hash_header, idle_timeout, response_timeout, settings_of
from control_plane.gateway.retries import filter_retry, model_retry
from control_plane.gateway.runtime import Runtime
from protos import filter_config_pb2 as pb

ORCHESTRATOR_API = "chat_completions"


def build_egress(
    runtime: Runtime,
    config: PlanoConfig,
    filters: Iterable[pb.Filter],
    choosing: Iterable[pb.Orchestrator | None],
    models: tuple[ChainedModel, ...],
    others: Iterable[ir.Route] = (),
) -> ir.Egress:
    """Build the internal listener."""
    known = services(config)
    routes = [_filter_route(step, settings_of(known[step.id].resilience, config.overrides)) for step in filters]
    routes.extend(others)
    asked = {model.model: model for model in choosing if model is not None}
    routes.extend(_choosing_route(model, models, config.overrides) for model in asked.values())
    return ir.Egress(
        address=runtime.egress_address,
        url=runtime.egress_url,
        routes=tuple(sorted(routes, key=lambda route: route.name)),
    )


def build_choosing_model(name: str | None, overrides: Overrides, entries: tuple[ProviderEntry, ...]) -> pb.Orchestrator | None:
    """Build a routing model; None if the built-in router decides."""
    if name is None:
        return None
    entry = find_entry(entries, name)
    assert entry is not None, "provider_entries adds the hosted one, and the checks refuse any other"
    return pb.Orchestrator(
        model=entry.name,
        timeout_seconds=overrides.orchestration_timeout,
        context_length=overrides.orchestrator_model_context_length,
        api=overrides.orchestration_api,
        threshold=overrides.orchestration_threshold,
        cache_seconds=overrides.orchestration_cache,
        tells_earlier=overrides.orchestration_history,
    )


def _filter_route(step: pb.Filter, settings: Resilience) -> ir.Route:
    """Build the route to a filter; ext_proc sends the complete path."""
    response_seconds = response_timeout(settings, step.timeout_seconds)
    return ir.Route(
        name=step.route,
        cluster=step.route,
        hash_header=hash_header(settings),
        total_timeout_seconds=settings.timeouts.total,
        response_timeout_seconds=response_seconds,
        idle_timeout_seconds=idle_timeout(settings, step.timeout_seconds, response_seconds),
        retry=filter_retry(settings),
        keeps_credentials=step.passthrough_auth,
    )


def _route_of(model: pb.Model) -> str:
    return next(route.route for route in model.routes if route.api == ORCHESTRATOR_API)


def _choosing_route(orchestrator: pb.Orchestrator, models: tuple[ChainedModel, ...], overrides: Overrides) -> ir.Route:
    entry, chains = next((model.entry, model.chains) for model in models if model.entry.name == orchestrator.model)
    name, cluster = (_route_of(build_model(entry, known)) for known in (chains, {}))
    retry = replace(model_retry(settings_of(entry.entry.resilience, overrides), None), attempts=1)
    return ir.Route(
        # The name of the model's own route, but without fallbacks: the ladder handles failures by its next rung.
        name=name,
        cluster=cluster,
        response_timeout_seconds=orchestrator.timeout_seconds,
        idle_timeout_seconds=orchestrator.timeout_seconds,
        retry=retry,
        keeps_credentials=False,
    )
