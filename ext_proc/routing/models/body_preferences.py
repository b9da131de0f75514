"""`routing_preferences` in a request's body: preferences for this one request, in place of the configured ones."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NoReturn

from ext_proc.errors import MalformedBody, UnknownModel
from ext_proc.routing.models.model import Model, ModelTables
from ext_proc.routing.models.preferences import Prefer, Preference, Preferences, compile_preferences
from ext_proc.routing.models.resolve import ResolvedModel, resolve_model

FIELD: Final = "routing_preferences"
"""Field of the body; removed before the request goes upstream."""

MOST_PREFERENCES: Final = 100
MOST_MODELS: Final = 32
LONGEST_NAME: Final = 200
LONGEST_DESCRIPTION: Final = 10_000
MAX_TEXT_BYTES: Final = 16 * 1024
"""All names and descriptions together: they are compiled for one request, which takes 2.5 ms and 90 KiB for each KiB."""

_NONE: Final[Mapping[str, Model]] = MappingProxyType({})
_KEYS: Final = frozenset({"name", "description", "models", "selection_policy"})
_PREFER: Final[Mapping[object, Prefer]] = {"none": "", "cheapest": "cheapest", "fastest": "fastest"}


def read_preferences(
    given: object, tables: ModelTables, policies: Collection[str] = (), ranked: Mapping[str, Model] = _NONE
) -> Preferences | None:
    """Read the field; None if it is an empty list, by which the requested model answers.

    `policies` are those with a source; `ranked` are the models with fallbacks, by name.

    Raises:
        MalformedBody: it does not have the configuration's shape; `param` names the field.
        UnknownModel: it names an unknown model.
    """
    entries = _list(given, FIELD, MOST_PREFERENCES)
    found: dict[str, Preference] = {}
    for index, entry in enumerate(entries):
        place = f"{FIELD}[{index}]"
        preference = _preference(entry, place, tables, policies)
        starts = {model.name: ranked[model.name] for model in preference.models if model.name in ranked}
        if len(starts) > 1:
            preference = replace(preference, starts=starts)
        if preference.name in found:
            _refuse(f"{place}.name", "is the name of another preference, too")
        found[preference.name] = preference
    if sum(map(_text_bytes, found.values())) > MAX_TEXT_BYTES:
        _refuse(FIELD, f"must have at most {MAX_TEXT_BYTES} bytes of names and descriptions")
    return compile_preferences(tuple(found.values()), is_configured=False) if found else None


def _preference(entry: object, place: str, tables: ModelTables, policies: Collection[str]) -> Preference:
    if not isinstance(entry, dict):
        _refuse(place, "must be an object")
    unknown = sorted(key for key in entry if key not in _KEYS)
    if unknown:
        _refuse(f"{place}.{unknown[0]}", f"is not known here; known are {', '.join(sorted(_KEYS))}")
    named = _list(entry.get("models"), f"{place}.models", MOST_MODELS)
    if not named:
        _refuse(f"{place}.models", "must not be empty")
    models = [_model(name, f"{place}.models[{position}]", tables) for position, name in enumerate(named)]
    return Preference(
        name=_text(entry.get("name"), f"{place}.name", LONGEST_NAME),
        description=_text(entry.get("description"), f"{place}.description", LONGEST_DESCRIPTION),
        models=tuple({model.name: model for model in models}.values()),
        prefer=_prefer(entry.get("selection_policy"), f"{place}.selection_policy", policies),
    )


def _text_bytes(preference: Preference) -> int:
    return len(preference.name.encode()) + len(preference.description.encode())


def _model(name: object, place: str, tables: ModelTables) -> ResolvedModel:
    if not isinstance(name, str) or not name:
        _refuse(place, "must be the name of a model")
    try:
        return resolve_model(tables, name)
    except UnknownModel as error:
        raise UnknownModel(error.public_message, param=place, status=400) from None


def _prefer(policy: object, place: str, policies: Collection[str]) -> Prefer:
    if policy is None:
        return ""
    if not isinstance(policy, dict):
        _refuse(place, "must be an object")
    word = policy.get("prefer")
    if not isinstance(word, str) or word not in _PREFER:
        _refuse(f"{place}.prefer", f"must be one of {', '.join(map(str, _PREFER))}")
    prefer = _PREFER[word]
    if prefer and prefer not in policies:
        _refuse(f"{place}.prefer", f"cannot be {word}: the gateway has no source in model_metrics_sources for it")
    return prefer


def _list(value: object, place: str, most: int) -> list[Any]:
    if not isinstance(value, list):
        _refuse(place, "must be a list")
    if len(value) > most:
        _refuse(place, f"must have at most {most} entries")
    return value


def _text(value: object, place: str, longest: int) -> str:
    if not isinstance(value, str) or not value.strip():
        _refuse(place, "must be a text that is not empty")
    if len(value) > longest:
        _refuse(place, f"must have at most {longest} characters")
    return value


def _refuse(place: str, what: str) -> NoReturn:
    raise MalformedBody(f"'{place}' {what}.", param=place)
