"""Renders docs/configuration.md from the model."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from control_plane.config.model import Default, PlanoConfig, Section
from control_plane.config.model.types import TypeName
from control_plane.config.model.walk import no_effect, sections_of

_HEAD: Final = """# Configuration

<!-- Generated from control_plane/config/model by `make docs`; do not edit. -->

The gateway reads one YAML file, `plano_config.yaml`. `plano check FILE` lists all problems of a file, with lines.

- Values may contain environment variables, `$NAME` or `${NAME}`; `$$` is a dollar sign. An unset variable is an error. A file
  `.env` beside the configuration is read as well; the process environment overrides it.
- Durations are written `30s`, `500ms`, `0.005s`, `1m` or `1h`.
- Older files are upgraded when they are read, with a warning for each old form: versions before v0.4.0, `llm_providers`,
  `listeners` as a mapping, `filter_chain`, and `routing_preferences` at a provider.
- Fields marked *no effect yet* are accepted and checked; writing them gives a warning.
"""

_SCALARS: Final = {str: "text", int: "integer", float: "number", bool: "true or false"}


def render_reference() -> str:
    """Render the whole document."""
    places: dict[type[Section], list[str]] = {}
    for path, section in _sections(PlanoConfig, ""):
        places.setdefault(section, []).append(path)
    return "\n".join([_HEAD, *(_render_section(section, paths) for section, paths in places.items())])


def _sections(section: type[Section], path: str) -> Iterator[tuple[str, type[Section]]]:
    """Yield a section and everything inside, in the order of the fields."""
    yield path, section
    for name, info in section.model_fields.items():
        inner = sections_of(info.annotation)
        here = f"{path}.{name}".removeprefix(".") + _collection_mark(info.annotation)
        for member in inner:
            yield from _sections(member, here if len(inner) == 1 else f"{here} ({_kind(member)})")


def _collection_mark(annotation: Any) -> str:
    if hasattr(annotation, "__metadata__"):
        return _collection_mark(get_args(annotation)[0])
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return next((mark for mark in map(_collection_mark, get_args(annotation)) if mark), "")
    return {tuple: "[]", dict: ".<name>"}.get(origin, "") if origin else ""


def _kind(section: type[Section]) -> str:
    """The discriminator of a union member: the only value of its `type`."""
    return f"type {get_args(section.model_fields['type'].annotation)[0]}"


def _title(paths: list[str]) -> str:
    """Name a section by its path; one that occurs in several places by the common end of their paths."""
    if len(paths) == 1:
        return f"`{paths[0]}`" if paths[0] else "The file"
    steps = [path.split(".") for path in paths]
    common = 0
    while len({tuple(path[-common - 1 :]) for path in steps}) == 1:
        common += 1
    if not common:
        return ", ".join(f"`{path}`" for path in paths)
    around = dict.fromkeys(".".join(path[:-common]) for path in steps)
    return f"`{'.'.join(steps[0][-common:])}` of {', '.join(f'`{place}`' for place in around)}"


def _render_section(section: type[Section], paths: list[str]) -> str:
    title = f"## {_title(paths)}"
    rows = [_row(name, info) for name, info in section.model_fields.items()]
    table = ["| field | type | default | meaning |", "| --- | --- | --- | --- |", *rows]
    return "\n".join([title, "", section.__doc__ or "", "", *table, ""])


def _row(name: str, info: FieldInfo) -> str:
    mark = no_effect(info)
    fate = f" *No effect yet: {mark.why}.*" if mark else ""
    kind = _type_words(info.annotation, info.metadata).replace("|", "\\|")
    return f"| `{name}` | {kind} | {_default_words(info)} | {_on_one_line(info.description)}{fate} |"


def _on_one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _type_words(annotation: Any, metadata: list[Any]) -> str:
    named = next((mark.text for mark in metadata if isinstance(mark, TypeName)), None)
    if named:
        return named
    if hasattr(annotation, "__metadata__"):
        inner = get_args(annotation)
        return _type_words(inner[0], list(_flattened(inner[1:])))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        members = dict.fromkeys(_type_words(member, []) for member in arguments if member is not NoneType)
        return " or ".join(members)
    if origin is tuple:
        return f"list of {_plural(arguments[0])}"
    if origin is dict:
        return f"mapping of names to {_plural(arguments[1])}"
    return _SCALARS.get(annotation, "mapping") + _bounds(metadata)


def _plural(annotation: Any) -> str:
    return "mappings" if sections_of(annotation) else _type_words(annotation, [])


def _flattened(marks: tuple[Any, ...]) -> Iterator[Any]:
    for mark in marks:
        yield from mark.metadata if isinstance(mark, FieldInfo) else [mark]


def _bounds(metadata: list[Any]) -> str:
    low = next((mark.ge for mark in metadata if isinstance(mark, Ge)), None)
    high = next((mark.le for mark in metadata if isinstance(mark, Le)), None)
    if low is not None and high is not None:
        return f" {low}-{high}"
    return f" from {low}" if low is not None else ""


def _default_words(info: FieldInfo) -> str:
    described = next((mark.text for mark in info.metadata if isinstance(mark, Default)), None)
    if described:
        return described
    if info.is_required():
        return "required"
    value = info.default
    if info.default_factory is not None or value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    is_duration = TypeName("duration") in info.metadata
    return f"`{value:g}s`" if is_duration else f"`{value}`"
