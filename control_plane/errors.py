"""Problems of a configuration: collected, then reported together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error or warning about a configuration."""

    path: str
    """Where, in the file's own keys: `listeners[0].agents[1].id`; empty for the whole file."""
    code: str
    """A stable code for programs: `unknown-agent`."""
    message: str
    """The problem, and how to fix it."""
    line: int | None = None
    """Counted from 1; None if no line can be named."""
    file: str = ""


class ConfigError(Exception):
    """A configuration that cannot be served, with all of its problems."""

    def __init__(self, problems: tuple[Problem, ...], warnings: tuple[Problem, ...] = ()) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems
        self.warnings = warnings


class NoConfigFile(Exception):
    """There is no file to read."""
