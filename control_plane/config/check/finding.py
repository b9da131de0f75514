"""What a check says about one place of the configuration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from control_plane.config.model import PlanoConfig
from control_plane.config.source.paths import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, or as a warning, worth knowing."""

    path: Path
    code: str
    message: str
    is_warning: bool = False
    needs: tuple[Path, ...] = ()
    """Places of all values that it follows from. Empty: anything in its entry, which therefore must be right."""


Check = Callable[[PlanoConfig], Iterator[Finding]]


def warning(path: Path, code: str, message: str) -> Finding:
    """Make a finding that does not keep the configuration from being served."""
    return Finding(path, code, message, is_warning=True)
