"""Lookup tables that reject duplicate and unknown keys."""

from collections.abc import Iterable
from typing import TypeVar

from ext_proc.errors import Uncompilable

Value = TypeVar("Value")


def by_key(items: Iterable[tuple[str, Value]], kind: str) -> dict[str, Value]:
    """Build a table by key.

    Raises:
        Uncompilable: it cannot work.
    """
    table: dict[str, Value] = {}
    for key, value in items:
        if key in table:
            raise Uncompilable(f"{kind} {key!r} is there twice")
        table[key] = value
    return table


def lookup(table: dict[str, Value], key: str, kind: str) -> Value:
    """Look up a key.

    Raises:
        Uncompilable: it cannot work.
    """
    value = table.get(key)
    if value is None:
        raise Uncompilable(f"{kind} {key!r} is not defined")
    return value
