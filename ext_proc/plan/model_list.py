"""The body of GET /v1/models: the names that clients may write, models and aliases, in a fixed order."""

from collections.abc import Callable, Iterable, Mapping

import orjson

from ext_proc.routing.models.model import Model


def render_models(
    models: Iterable[Model],
    aliases: Mapping[str, Model],
    prices: Iterable[str] = (),
    may_ask: Callable[[str], bool] = lambda _name: True,
) -> bytes:
    """List models and aliases, without internal models and those that `may_ask` excludes.

    A wildcard is listed as the models with `prices` that it covers: the provider's other models are unknown.
    """
    known = [model for model in models if not model.is_internal]
    owners = {model.name: model.provider for model in known if not model.is_wildcard}
    wildcards = {model.name.removesuffix("/*"): model.provider for model in known if model.is_wildcard}
    covered = ((name, name.partition("/")[0]) for name in prices if not name.endswith("/*"))
    owners = {name: wildcards[prefix] for name, prefix in covered if prefix in wildcards} | owners
    owners |= {alias: model.provider for alias, model in aliases.items()}
    data = [_listed(name, owners[name]) for name in sorted(filter(may_ask, owners))]
    return orjson.dumps({"object": "list", "data": data})


def render_model(name: str, owner: str) -> bytes:
    """Describe one model."""
    return orjson.dumps(_listed(name, owner))


def in_messages_shape(rendered: bytes) -> bytes:
    """Convert a list, or one model, to Anthropic's shape; the creation time of models is unknown."""
    listed = orjson.loads(rendered)
    if "data" not in listed:
        return orjson.dumps(_of_messages(listed["id"]))
    names = [entry["id"] for entry in listed["data"]]
    ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
    return orjson.dumps({"data": [_of_messages(name) for name in names], "has_more": False, **ends})


def _listed(name: str, owner: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _of_messages(name: str) -> dict[str, str]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
