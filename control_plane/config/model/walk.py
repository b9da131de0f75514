"""Walks a configuration and its types by path."""

from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from control_plane.config.model.types import NoEffect, Section
from control_plane.config.source.paths import Path


def written_fields(section: Section, path: Path = ()) -> Iterator[tuple[Path, FieldInfo, Any]]:
    """Yield every field that the user wrote, outer ones first, with its path and value."""
    for name, info in type(section).model_fields.items():
        if name in section.model_fields_set:
            value = getattr(section, name)
            yield (*path, name), info, value
            yield from _inside(value, (*path, name))


def _inside(value: Any, path: Path) -> Iterator[tuple[Path, FieldInfo, Any]]:
    if isinstance(value, Section):
        yield from written_fields(value, path)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _inside(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _inside(item, (*path, key))


def no_effect(info: FieldInfo) -> NoEffect | None:
    """Return the marker of a field without effect."""
    return next((mark for mark in info.metadata if isinstance(mark, NoEffect)), None)


def sections_of(annotation: Any) -> tuple[type[Section], ...]:
    """List the sections in a field's type: one for `tuple[Agent, ...]`, two for a union."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return (annotation,)
    if hasattr(annotation, "__metadata__"):
        return sections_of(get_args(annotation)[0])
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (tuple, dict, Union, UnionType):
        return tuple(section for argument in arguments for section in sections_of(argument))
    return ()


def fields_at(root: type[Section], path: Path) -> dict[str, FieldInfo]:
    """Return the fields that a path of the file can have; empty if there is no such path."""
    sections: tuple[type[Section], ...] = (root,)
    for step in path:
        known = [section.model_fields[step] for section in sections if isinstance(step, str) and step in section.model_fields]
        if known:
            sections = tuple(section for info in known for section in sections_of(info.annotation))
    return {name: info for section in sections for name, info in section.model_fields.items()}
