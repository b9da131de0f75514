"""The body of GET /v1/models: the names that clients may write, models and aliases, in a fixed order."""

from collections.abc import Callable, Iterable, Mapping

import orjson

from ext_proc.routing.models.model import Model


def render_models(
    models: Iterable[Model], aliases: Mapping[str, Model], may_ask: Callable[[str], bool] = lambda _name: True
) -> bytes:
    """List models but internal ones and wildcards, and aliases, which their model's provider owns; `may_ask` omits some."""
    owners = {model.name: model.provider for model in models if not model.is_internal and not model.is_wildcard}
    owners |= {alias: model.provider for alias, model in aliases.items()}
    data = [{"id": name, "object": "model", "created": 0, "owned_by": owners[name]} for name in sorted(filter(may_ask, owners))]
    return orjson.dumps({"object": "list", "data": data})
