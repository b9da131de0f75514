"""What the processes of a running gateway take: CPU time by role, and memory."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from control_plane.supervisor.instance import Instance, read_instance

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_ROLES: Final = {"envoy": "Envoy", "ext_proc": "workers"}


def cpu_seconds(run_dir: Path) -> dict[str, float]:
    """Return the CPU time that Envoy and ext_proc, with its workers, have taken, by role."""
    roots = {process.name: process.pid for process in _instance(run_dir).processes}
    return {
        role: sum(map(cpu_seconds_of, _family(pid))) for name, role in _ROLES.items() if (pid := roots.get(name)) is not None
    }


def cpu_seconds_of(pid: int) -> float:
    """Return the CPU time of one process, in user and kernel mode (proc(5), stat: fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(run_dir: Path) -> dict[str, float]:
    """Return the memory of each process of a gateway, by name, in MB; a page shared by n processes counts 1/n in each."""
    instance = _instance(run_dir)
    named = {process.pid: process.name for process in instance.processes} | {instance.pid: "supervisor"}
    found: dict[str, float] = {}
    for pid in _family(instance.pid):
        name = named.get(pid) or f"{named.get(_parent(pid), '')} child"
        found[name] = found.get(name, 0) + _proportional_kb(pid) / 1024
    return found


def _instance(run_dir: Path) -> Instance:
    instance = read_instance(run_dir / "plano.json")
    if instance is None:
        raise RuntimeError(f"no gateway runs in {run_dir}")
    return instance


def _family(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _proportional_kb(pid: int) -> int:
    """Proportional set size (proc(5), smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
