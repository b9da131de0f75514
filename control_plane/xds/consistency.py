"""Checks that every name that a gateway refers to exists, before anything is served.

A failure here is a bug of `gateway`, not of the user's configuration, which was checked before.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from control_plane import ir
from control_plane.ir import names
from protos import filter_config_pb2 as pb

_ASKED_BY: Final = "chat_completions"
"""The API of the orchestrator."""


class InconsistentGateway(Exception):
    """A gateway that refers to something that it does not define."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def check(gateway: ir.Gateway) -> None:
    """Raise InconsistentGateway if any name is not defined."""
    problems = (*_clusters(gateway), *_plans(gateway), *_filters(gateway), *_models(gateway))
    if problems:
        raise InconsistentGateway(problems)


def _missing(who: str, what: str, wanted: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    unknown = sorted(set(wanted) - set(known))
    return (f"{who} refers to {what} {name!r}, which does not exist" for name in unknown)


def _routes_of(routes: Iterable[ir.Route]) -> set[str]:
    return {route.name for route in routes}


def _clusters(gateway: ir.Gateway) -> Iterator[str]:
    known = {cluster.name for cluster in gateway.clusters}
    for chain in gateway.chains:
        who = f"chain {chain.name!r}"
        yield from _missing(who, "cluster", (member.cluster for member in chain.members), known)
    known |= {chain.name for chain in gateway.chains}
    targets = {names.target(member.cluster, member.api) for chain in gateway.chains for member in chain.members}
    targets |= {names.failover_target(target) for target in targets}
    for listener in gateway.listeners:
        yield from _missing(f"listener {listener.name!r}", "cluster", (route.cluster for route in listener.routes), known)
    yield from _missing("the egress listener", "cluster", (route.cluster for route in gateway.egress.routes), known)
    attempted = (route.cluster for route in gateway.attempt_routes)
    yield from _missing("the attempts listener", "cluster", attempted, known | targets)


def _plans(gateway: ir.Gateway) -> Iterator[str]:
    routes = {listener.name: _routes_of(listener.routes) for listener in gateway.listeners}
    filters = {step.id for step in gateway.filter_config.filters}
    yield from _missing("the gateway", "plan of listener", routes, (plan.name for plan in gateway.filter_config.listeners))
    for plan in gateway.filter_config.listeners:
        who = f"plan {plan.name!r}"
        yield from _missing(who, "listener", (plan.name,), routes)
        yield from _missing(who, "route", (agent.route for agent in plan.agents), routes.get(plan.name, ()))
        chains = (plan.input_filters, *(agent.input_filters for agent in plan.agents))
        yield from _missing(who, "filter", (step for chain in chains for step in chain), filters)


def _filters(gateway: ir.Gateway) -> Iterator[str]:
    egress = _routes_of(gateway.egress.routes)
    yield from _missing(
        "a filter", "egress route", (step.route for step in gateway.filter_config.filters if not step.callable), egress
    )
    yield from _missing("a source", "egress route", (source.route for source in gateway.filter_config.sources), egress)


def _models(gateway: ir.Gateway) -> Iterator[str]:
    known = {model.name for model in gateway.filter_config.models}
    yield from _missing("an alias", "model", (alias.model for alias in gateway.filter_config.aliases), known)
    for listener in gateway.listeners:
        if listener.kind is ir.ListenerKind.MODEL:
            own = (route for model in gateway.filter_config.models if not model.internal for route in model.routes)
            shared = (route for alias in gateway.filter_config.aliases for share in alias.shares for route in share.routes)
            ranked = (route for plan in gateway.filter_config.preferences for start in plan.starts for route in start.routes)
            wanted = [
                name
                for route in (*own, *shared, *ranked, *gateway.filter_config.rankings)
                for name in (route.route, route.stream_route)
                if name
            ]
            yield from _missing(f"model listener {listener.name!r}", "route", wanted, _routes_of(listener.routes))
    yield from _missing(
        "a preference", "model", (model for plan in gateway.filter_config.preferences for model in plan.models), known
    )
    for who, field in (("the orchestrator", "orchestrator"), ("the routing model", "routing_model")):
        if gateway.filter_config.HasField(field):
            choosing = getattr(gateway.filter_config, field)
            yield from _missing(who, "model", (choosing.model,), known)
            yield from _missing(who, "egress route", _used_by(choosing, gateway), _routes_of(gateway.egress.routes))


def _used_by(choosing: pb.Orchestrator, gateway: ir.Gateway) -> Iterator[str]:
    for model in gateway.filter_config.models:
        if model.name == choosing.model:
            yield from (route.route for route in model.routes if route.api == _ASKED_BY)
