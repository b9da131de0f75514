"""FilterConfig -> Plan: aliases, their routes and weighted targets."""

from collections.abc import Mapping
from dataclasses import replace

from ext_proc.errors import Uncompilable
from ext_proc.routing.models.model import Model, ModelRoute, Share
from protos import filter_config_pb2 as pb


def compile_alias(item: pb.Alias, models: Mapping[str, Model]) -> tuple[Share, ...]:
    """Compile the models of an alias, usually one.

    Raises:
        Uncompilable: a model is unknown or a wildcard, or a weight is 0.
    """
    shares: list[Share] = []
    for share in item.shares or (pb.Share(model=item.model, weight=1),):
        model = models.get(share.model)
        if model is None:
            raise Uncompilable(f"model {share.model!r} is not defined")
        if model.is_wildcard:
            raise Uncompilable(f"{share.model!r} stands for many models, it cannot be an alias")
        if share.weight < 1:
            raise Uncompilable(f"alias {item.name!r} gives {share.model!r} no weight")
        shares.append(Share(_reached(model, share), share.weight + (shares[-1].until if shares else 0)))
    return tuple(shares)


def _reached(model: Model, share: pb.Share) -> Model:
    """Replace a model's routes by those of the alias."""
    if not share.routes:
        return model
    return replace(model, routes={**model.routes, **{route.api: compile_route(route) for route in share.routes}})


def compile_route(item: pb.ModelRoute) -> ModelRoute:
    """Compile the route of a client API."""
    return ModelRoute(
        route=item.route,
        path=item.path,
        stream_route=item.stream_route,
        tools_route=item.tools_route,
        by_attempt=item.by_attempt,
        continued=item.continued,
    )
