"""Tools that only the provider of the client's API runs, such as `web_search`, with an upstream of another API.

They are omitted, with a warning, if they are optional: Codex and Claude Code declare them in every request. If the client
requires one, or `refuse` is configured, the request is refused by the tool's name.
"""

from collections.abc import Collection

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import Uncarried
from ext_proc.translate.translation import Exchange


def leave_out(kind: str, where: str, exchange: Exchange, api: str, *, is_demanded: bool = False) -> None:
    """Omit a tool, or its calls and results; `where` is its path in the client's request.

    Raises:
        UnsupportedFeature: the client requires it.
    """
    if is_demanded or exchange.quirks.provider_tools == "refuse":
        raise refused(kind, f"{where}.type", api)
    exchange.warn(f"{where} ({kind}) was left out: only its own provider runs it")


def refused(kind: str, where: str, api: str) -> Uncarried:
    """Return the error for a tool that is not available over `api`."""
    return Uncarried(where, api, kind=kind, why="is run by its own provider only, and cannot be carried")


def warn_of_rest(rest: JsonObject, where: str, exchange: Exchange) -> None:
    """Warn of unknown members of an object, which the upstream's API lacks."""
    for name, value in rest.items():
        if value is not None:
            exchange.warn(f"{where}.{name} was left out: it is unknown here")


def warn_of_word(word: object, known: Collection[str], where: str, exchange: Exchange) -> None:
    """Warn of a value that is none of the API's own, and so has no effect."""
    if word is not None and word not in known:
        exchange.warn(f"{where} was left out: its value is unknown here")
