"""What the processes of a running gateway take: CPU time by role, and memory."""

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_ROLES: Final = {"--worker": "workers", "envoy": "Envoy"}


def cpu_seconds(folder: Path) -> dict[str, float]:
    """Return the CPU time that the ext_proc workers and Envoy of the gateway in a folder have taken, by role."""
    spent = dict.fromkeys(_ROLES.values(), 0.0)
    for pid, words in _processes_of(folder).items():
        role = next((role for word, role in _ROLES.items() if word in words or Path(words[0]).name == word), None)
        if role is not None:
            spent[role] += cpu_seconds_of(pid)
    return spent


def cpu_seconds_of(pid: int) -> float:
    """Return the CPU time of one process, in user and kernel mode (proc(5), stat: fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(folder: Path) -> float:
    """Return the memory of all processes of the gateway in a folder, in MB; shared pages count once."""
    return sum(_proportional_kb(pid) for pid in _processes_of(folder)) / 1024


def _processes_of(folder: Path) -> dict[int, list[str]]:
    """Find processes by their arguments, which name the run dir."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(folder / "run") in command:
            found[int(entry.name)] = command.split("\0")
    return found


def _proportional_kb(pid: int) -> int:
    """Proportional set size: a page shared by n processes counts 1/n in each (proc(5), smaps_rollup)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
