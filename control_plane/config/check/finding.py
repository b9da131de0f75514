"""The result of a check about one place of the configuration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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


Check = Callable[[PlanoConfig], Iterator[Finding]]


def warning(path: Path, code: str, message: str) -> Finding:
    """Create a warning: the configuration is served all the same."""
    return Finding(path, code, message, is_warning=True)
