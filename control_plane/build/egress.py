"""Envoy's internal listener: the routes of Python's own calls, to filters and to the orchestration model."""

from collections.abc import Iterable
from dataclasses import replace

from control_plane.build.models import ProviderEntry, build_model, find_entry
from control_plane.build.retries import filter_retry, model_retry
from control_plane.build.runtime import Runtime
from control_plane.config.model import Overrides
from control_plane.ir import model as ir

ORCHESTRATOR_API = "chat_completions"


def build_egress(
    runtime: Runtime, filters: Iterable[ir.Filter], orchestrator: ir.Orchestrator | None, entries: tuple[ProviderEntry, ...]
) -> ir.Egress:
    """Build the internal listener."""
    routes = [_filter_route(step) for step in filters]
    if orchestrator is not None:
        routes.append(_orchestrator_route(orchestrator, entries))
    return ir.Egress(
        address=runtime.egress_address,
        url=runtime.egress_url,
        routes=tuple(sorted(routes, key=lambda route: route.name)),
    )


def build_orchestrator(overrides: Overrides, entries: tuple[ProviderEntry, ...]) -> ir.Orchestrator | None:
    """Build the model that chooses agents; None lets the built-in router choose."""
    if overrides.agent_orchestration_model is None:
        return None
    entry = find_entry(entries, overrides.agent_orchestration_model)
    assert entry is not None, "provider_entries adds the hosted one, and the checks refuse any other"
    return ir.Orchestrator(
        model=entry.name,
        timeout_seconds=overrides.orchestration_timeout,
        context_length=overrides.orchestrator_model_context_length,
    )


def _filter_route(step: ir.Filter) -> ir.Route:
    """Build the route to a filter; the call's path is complete already."""
    return ir.Route(
        name=step.route,
        cluster=step.route,
        response_timeout_seconds=step.timeout_seconds,
        idle_timeout_seconds=step.timeout_seconds,
        retry=filter_retry(),
        keeps_credentials=step.passthrough_auth,
    )


def _orchestrator_route(orchestrator: ir.Orchestrator, entries: tuple[ProviderEntry, ...]) -> ir.Route:
    model = next(build_model(entry) for entry in entries if entry.name == orchestrator.model)
    name = next(route.route for route in model.routes if route.api == ORCHESTRATOR_API)
    retry = replace(model_retry(None), attempts=1)
    return ir.Route(
        name=name,
        cluster=name,
        response_timeout_seconds=orchestrator.timeout_seconds,
        idle_timeout_seconds=orchestrator.timeout_seconds,
        retry=retry,
        keeps_credentials=False,
    )
