"""Tools that only the provider of the client's own API can run, such as `web_search`, at a model that is served over another.

They are left out, with a warning, where the model may do without them: Codex and Claude Code declare them in every request.
Where the client demands one, or the configuration says `refuse`, the request is refused by the tool's name.
"""

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import Uncarried
from ext_proc.translate.translation import Exchange


def leave_out(kind: str, where: str, exchange: Exchange, api: str, *, is_demanded: bool = False) -> None:
    """Leave out a tool, or what a conversation tells of its use; `where` is its place in the client's request.

    Raises:
        UnsupportedFeature: the client cannot do without it.
    """
    if is_demanded or exchange.quirks.provider_tools == "refuse":
        raise refused(kind, f"{where}.type", api)
    exchange.warn(f"{where} ({kind}) was left out: only its own provider runs it")


def refused(kind: str, where: str, api: str) -> Uncarried:
    """Return the error for a tool that a model over `api` cannot have."""
    return Uncarried(where, api, kind=kind, why="is run by its own provider only, and cannot be carried")


def warn_of_rest(rest: JsonObject, where: str, exchange: Exchange) -> None:
    """Note the members of an object that no translation knows: they have no place in the upstream's API."""
    for name, value in rest.items():
        if value is not None:
            exchange.warn(f"{where}.{name} was left out: it is unknown here")
