"""FilterConfig -> Plan: rankings of models in requests."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ext_proc.errors import Uncompilable
from ext_proc.plan.aliases import compile_route
from ext_proc.plan.targets import Member, Target
from ext_proc.routing.models.model import Model
from protos import filter_config_pb2 as pb


@dataclass(frozen=True, slots=True)
class Rankings:
    """The models that can be ranked, and their routes."""

    members: Mapping[str, Mapping[str, Member]] = field(default_factory=dict)
    """By route: the models, by name, that can be tried there."""
    models: Mapping[str, Model] = field(default_factory=dict)
    """By name: models with such routes in place of their own."""


def compile_rankings(
    items: Iterable[pb.ModelRoute],
    models: Mapping[str, Model],
    targets: Mapping[tuple[str, str], Target],
    chains: Mapping[str, tuple[Member, ...]],
) -> Rankings:
    """Compile the routes: every model with a target can be ranked.

    Raises:
        Uncompilable: a route has members of its own.
    """
    members: dict[str, Mapping[str, Member]] = {}
    ranked: dict[str, Model] = {}
    for item in items:
        if item.members or not item.by_attempt:
            raise Uncompilable(f"route {item.route!r} of rankings has members of its own")
        reached = _reached(item.api, models.values(), targets, chains)
        members |= dict.fromkeys((item.route, item.stream_route), reached)
        for name in reached:
            model = ranked.get(name, models[name])
            ranked[name] = replace(model, routes={**model.routes, item.api: compile_route(item)})
    return Rankings(members, ranked)


def _reached(
    client_api: str,
    models: Iterable[Model],
    targets: Mapping[tuple[str, str], Target],
    chains: Mapping[str, tuple[Member, ...]],
) -> dict[str, Member]:
    """Return the models with a target that serve a client API."""
    found: dict[str, Member] = {}
    for model in models:
        route = model.routes.get(client_api)
        if route is None or model.is_wildcard:
            continue
        # A chain begins with the model itself, in its upstream API.
        api = chains[route.route][0].api if route.by_attempt else client_api
        if targets[model.name, api].route:
            found[model.name] = Member(model.name, api)
    return found
