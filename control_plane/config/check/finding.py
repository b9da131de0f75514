"""The result of a check about one place of the configuration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from control_plane.config.model import PlanoConfig
from control_plane.config.source.paths import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One error or warning."""

    path: Path
    code: str
    message: str
    is_warning: bool = False
    needs: tuple[Path, ...] = ()
    """Paths of the values that it depends on. Empty: all of its entry, which must be valid."""


_DEFINED_IN: Final[Mapping[str, tuple[Path, ...]]] = {
    "unknown-agent": (("agents",), ("filters",)),
    "unknown-filter": (("agents",), ("filters",)),
    "unknown-model": (("model_providers",),),
    "unknown-endpoint": (("endpoints",),),
}
"""Sections that define the names: if one of them is invalid as a whole, no name is unknown."""

Check = Callable[[PlanoConfig], Iterator[Finding]]


def undefined(path: Path, code: str, message: str) -> Finding:
    """Create a finding about a name that nothing has, whatever else is wrong in the entry that uses it."""
    return Finding(path, code, message, needs=(path, *_DEFINED_IN.get(code, ())))


def warning(path: Path, code: str, message: str) -> Finding:
    """Create a warning: the configuration is served all the same."""
    return Finding(path, code, message, is_warning=True)
