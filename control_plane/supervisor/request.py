"""What `plano up` was asked for, in the process that was asked and in the detached one that does it."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class UpRequest:
    """One gateway to run."""

    config_file: Path
    run_dir: Path
    workers: int
    """Processes of ext_proc."""

    def arguments(self) -> tuple[str, ...]:
        """Return the arguments of `python -m control_plane.supervisor` that say the same."""
        return (str(self.config_file), str(self.run_dir), str(self.workers))

    @classmethod
    def from_arguments(cls, arguments: list[str]) -> "UpRequest":
        """Read what `arguments` wrote."""
        config_file, run_dir, workers = arguments
        return cls(config_file=Path(config_file), run_dir=Path(run_dir), workers=int(workers))


def available_cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
