"""Validates plain data to the model, and translates pydantic's errors to the words and places of the file."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from control_plane.config.model import PlanoConfig
from control_plane.config.model.walk import fields_at, sections_of
from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Tree
from control_plane.config.suggest import UNNAMED, did_you_mean, suggest
from control_plane.errors import Problem

_WORDS: Final[Mapping[str, str]] = {
    "string_type": "should be text; put it in quotes",
    "string_too_short": "should not be empty",
    "tuple_type": "should be a list",
    "dict_type": "should be a mapping",
    "model_type": "should be a mapping",
    "model_attributes_type": "should be a mapping",
    "bool_parsing": "should be true or false",
    "bool_type": "should be true or false",
    "int_parsing": "should be a whole number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "union_tag_not_found": "needs a `type`",
}

_INSTEAD: Final[Mapping[str, str]] = {
    "retry_policy": "`resilience.retries` says what is tried again, and `fallbacks` which models answer instead",
    "fallback_models": "`fallbacks` names the models that answer instead",
    "num_retries": "`resilience.retries.attempts` says how often a failed attempt is made again",
    "api_key": "`access_key` is the provider's key",
    "api_base": "`base_url` is where the provider's API is",
    "rpm": "`ratelimits` bounds what is used",
    "tpm": "`ratelimits` bounds what is used",
}
"""Fields of other gateways and of proposals for Plano -> the equivalent here."""

_SHOWN: Final = 40
"""Longer values are not repeated in problems, which have a path."""

_REQUIRED_SECTIONS: Final[frozenset[Path]] = frozenset(
    (name,) for name, info in PlanoConfig.model_fields.items() if info.is_required() and sections_of(info.annotation)
)

_DEPTH: Final = 4
"""Rounds of inserting placeholders inside placeholders."""


@dataclass(frozen=True, slots=True)
class Validated:
    """The result of validation, possibly partial."""

    config: PlanoConfig | None
    """Without invalid values, so that the rest can be checked; None if that is impossible."""
    problems: tuple[Problem, ...] = ()
    missing: frozenset[Path] = frozenset()
    """Paths of omitted, invalid values."""

    def is_complete(self, path: Path) -> bool:
        """Whether the entry of a path lacks no value, and the file no section: a placeholder for one would mislead."""
        if self.missing & _REQUIRED_SECTIONS:
            return False
        incomplete = {missing[:-1] for missing in self.missing}
        return not any(path[:length] in incomplete for length in range(1, len(path) + 1))

    def has_all(self, paths: Sequence[Path]) -> bool:
        """Whether no value is missing at some paths, or above them."""
        return not any(path[:length] in self.missing for path in paths for length in range(1, len(path) + 1))


def validate(tree: Tree, is_hidden: Callable[[Path], bool] = lambda _path: False) -> Validated:
    """Build the model, or report all problems of the data; `is_hidden` tells which values must not be repeated."""
    try:
        return Validated(PlanoConfig.model_validate(tree.data))
    except ValidationError as error:
        places = _places(tree.data, error.errors(include_url=False))
    problems = tuple(_problem(tree, path, detail, is_hidden) for path, detail in places.items())
    wrong = (path for path, detail in places.items() if detail["type"] != "extra_forbidden")
    return Validated(_what_is_left(tree.data, set(places)), problems, frozenset(wrong))


def _what_is_left(data: Any, wrong: set[Path]) -> PlanoConfig | None:
    """Build the model without invalid values, with placeholders for required ones."""
    left = _without(data, wrong)
    for _ in range(_DEPTH):
        try:
            return PlanoConfig.model_validate(left)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                if detail["type"] == "missing":
                    _put_stand_in(left, _path(left, detail))
    return None


def _put_stand_in(data: Any, path: Path) -> None:
    """Insert a placeholder. Its entry counts as incomplete, so checks report nothing about it."""
    *parents, name = path
    for step in parents:
        data = data[step]
    info = fields_at(PlanoConfig, path[:-1]).get(str(name))
    if info is not None:
        data[name] = _stand_in(info.annotation)


def _stand_in(annotation: Any) -> object:
    """Return a placeholder of a type; values missing inside it are added in the next round."""
    if sections_of(annotation):
        return [{}] if get_origin(annotation) is tuple else {}
    if get_origin(annotation) is Literal:
        return get_args(annotation)[-1]
    return 1 if annotation is int else UNNAMED


def _places(data: Any, errors: Sequence[ErrorDetails]) -> dict[Path, ErrorDetails]:
    """Map each path to its first error: a union reports one for each of its members."""
    places: dict[Path, ErrorDetails] = {}
    for detail in errors:
        if detail["type"] == "too_short" and detail["input"]:
            continue  # its entries are there and have errors of their own
        places.setdefault(_path(data, detail), detail)
    return places


def _path(data: Any, detail: ErrorDetails) -> Path:
    """Translate pydantic's location, which names union members as well, to a path of the data."""
    path: list[str | int] = []
    here = data
    for step in detail["loc"]:
        if _has(here, step):
            here = here[step]
            path.append(step)
    if detail["type"] == "missing":
        path.append(detail["loc"][-1])
    return tuple(path)


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _problem(tree: Tree, path: Path, detail: ErrorDetails, is_hidden: Callable[[Path], bool]) -> Problem:
    kind = detail["type"]
    if kind == "missing":
        return tree.problem(path, "missing-field", f"is required. {_description(path)}".strip())
    if kind == "extra_forbidden":
        name = str(path[-1])
        if name in _INSTEAD:
            return tree.problem(path, "unknown-field", f"is not known here: {_INSTEAD[name]}")
        return tree.problem(path, "unknown-field", f"is not known here{suggest(name, fields_at(PlanoConfig, path[:-1]))}")
    found = "" if is_hidden(path) or _is_secret(path) else _found(detail["input"])
    return tree.problem(path, "invalid-value", _words(kind, detail) + found)


def _found(value: object) -> str:
    """Return the end of a sentence with the value found, if it is short."""
    written = str(value).lower() if isinstance(value, bool) else str(value)
    is_plain = isinstance(value, bool | int | float | str) and written.isprintable()
    return f"; found `{written}`" if is_plain and 0 < len(written) <= _SHOWN else ""


def _is_secret(path: Path) -> bool:
    """Whether a value is secret, or within a mapping of secrets."""
    return any(
        "Secret" in repr(info.annotation) or "Secret" in repr(info.metadata)
        for length in range(len(path))
        if (info := fields_at(PlanoConfig, path[:length]).get(str(path[length]))) is not None
    )


def _description(path: Path) -> str:
    info = fields_at(PlanoConfig, path[:-1]).get(str(path[-1]))
    return info.description or "" if info else ""


def _words(kind: str, detail: ErrorDetails) -> str:
    if detail["input"] is None:
        return "should have a value, or be left out"
    if kind == "union_tag_invalid":
        return f"should have a `type` out of {detail['ctx']['expected_tags']}"
    if kind == "too_short":
        return "should have at least one entry"
    if kind == "literal_error" and isinstance(detail["input"], str):
        choices = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        return detail["msg"].removeprefix("Input ") + did_you_mean(detail["input"], choices)
    return _WORDS.get(kind) or detail["msg"].removeprefix("Input ").removeprefix("Value ")


def _without(data: Any, removed: set[Path], path: Path = ()) -> Any:
    """Copy data without some values of mappings, and some plain values of lists."""
    if isinstance(data, dict):
        inside = ((key, value, (*path, key)) for key, value in data.items())
        return {key: _without(value, removed, here) for key, value, here in inside if here not in removed}
    if isinstance(data, list):
        kept = ((index, item) for index, item in enumerate(data) if isinstance(item, dict) or (*path, index) not in removed)
        return [_without(item, removed, (*path, index)) for index, item in kept]
    return data
