"""Resolves the `model` of a request to a configured model and the provider's name of it."""

import re
from dataclasses import dataclass
from typing import Final
from zlib import crc32

from ext_proc.errors import MalformedBody, UnknownModel
from ext_proc.routing.models.model import Model, ModelTables, Share

_NAME: Final = re.compile(r"[!-~]{1,200}")
"""Allowed model names of a wildcard, which become part of headers and paths."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A configured model, and its upstream name."""

    model: Model
    upstream_model: str
    reason: str
    """How it was found, a constant."""

    @property
    def name(self) -> str:
        """The full name: the configured one, or the one that matched a wildcard."""
        return self.model.name.removesuffix("*") + self.upstream_model if self.model.is_wildcard else self.model.name


def resolve_model(tables: ModelTables, requested: object, *, request_id: str = "") -> ResolvedModel:
    """Find a model: configured name, alias, bare id, then a provider's wildcard; the default if none was requested.

    The request id selects among the weighted targets of an alias: always the same one for the same id.

    Raises:
        MalformedBody: the requested model is not a string, or missing without a default.
        UnknownModel: it is not configured, or only for internal use.
    """
    if requested is None or requested == "":
        return _default(tables)
    if not isinstance(requested, str):
        raise MalformedBody("`model` must be a string.", param="model", code="invalid_type")
    if not {".", ".."}.isdisjoint(requested.split("/")):
        # It becomes part of provider paths, where that would change the path.
        raise MalformedBody("`model` must not have `.` or `..` between slashes.", param="model", code="invalid_value")
    if requested in tables.splits:
        return _share(tables.splits[requested], request_id)
    for table, reason in ((tables.exact, "exact"), (tables.aliases, "alias"), (tables.bare, "bare_id")):
        model = table.get(requested)
        if model is not None:
            return ResolvedModel(model, model.upstream_model, reason)
    return _own_id(tables, requested) or _wildcard(tables, requested)


def _share(shares: tuple[Share, ...], request_id: str) -> ResolvedModel:
    point = crc32(request_id.encode()) % shares[-1].until
    model = next(share.model for share in shares if point < share.until)
    return ResolvedModel(model, model.upstream_model, "split_alias")


def _default(tables: ModelTables) -> ResolvedModel:
    if tables.default is None:
        message = "`model` is missing, and no default model is configured."
        raise MalformedBody(message, param="model", code="missing_required_parameter")
    return ResolvedModel(tables.default, tables.default.upstream_model, "default")


def _own_id(tables: ModelTables, requested: str) -> ResolvedModel | None:
    """Return the wildcard whose provider has such ids, if there is exactly one."""
    if "/" in requested or not _NAME.fullmatch(requested):
        return None
    meant = {model.name: model for begins, model in tables.own_ids if requested.startswith(begins) or f"{requested}-" == begins}
    if len(meant) != 1:
        return None
    (resolved,) = (ResolvedModel(model, requested, "bare_id") for model in meant.values())
    return None if resolved.name in tables.hidden else resolved


def _wildcard(tables: ModelTables, requested: str) -> ResolvedModel:
    provider, _, upstream_model = requested.partition("/")
    model = tables.wildcards.get(provider)
    if model is None or not _NAME.fullmatch(upstream_model) or requested in tables.hidden:
        raise unknown_model(requested)
    return ResolvedModel(model, upstream_model, "wildcard")


def unknown_model(requested: str) -> UnknownModel:
    """Return the error for a model that does not exist, or not for this caller."""
    return UnknownModel(f"The model `{_shown(requested)}` does not exist.", param="model")


def _shown(requested: str) -> str:
    return requested if len(requested) <= 200 else requested[:200] + "…"
