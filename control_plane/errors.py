"""What is wrong with a configuration: collected, never thrown one by one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong (or, as a warning, worth knowing) about a configuration."""

    path: str
    """Where, in the file's own keys: `listeners[0].agents[1].id`; empty for the whole file."""
    code: str
    """A stable word for programs: `unknown-agent`."""
    message: str
    """What is wrong and what would be right."""
    line: int | None = None
    """Counted from 1; None if no line can be named."""
    file: str = ""


class ConfigError(Exception):
    """A configuration that cannot be served, with every problem that it has."""

    def __init__(self, problems: tuple[Problem, ...], warnings: tuple[Problem, ...] = ()) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems
        self.warnings = warnings


class NoConfigFile(Exception):
    """There is no file to read."""
