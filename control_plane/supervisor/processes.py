"""Processes of this machine by pid and start time, because pids are reused."""

import os
import subprocess
from pathlib import Path

_PROC = Path("/proc")


def start_mark(pid: int) -> str:
    """Return the start time of a process, which distinguishes it from others with the same pid. Empty if it does not exist."""
    if not _PROC.exists():
        return _ask_ps(pid, "lstart")
    fields = _stat_fields(pid)
    # Clock ticks since the machine was booted: field 22 of proc(5), the 20th behind the name.
    return f"{_boot()} {fields[19]}" if fields else ""


def is_running(pid: int, mark: str) -> bool:
    """Whether the process with this start time is running.

    A killed process is a zombie once its first thread has ended. Until its last thread ends, it holds its ports.
    """
    if not mark or start_mark(pid) != mark:
        return False
    if not _PROC.exists():
        return _ask_ps(pid, "command") not in ("", "<defunct>")
    fields = _stat_fields(pid)
    try:
        return bool(fields) and (fields[0] not in "ZX" or len(os.listdir(_PROC / str(pid) / "task")) > 1)
    except OSError:
        return False


def _stat_fields(pid: int) -> list[str]:
    """Return the fields after the name in /proc/PID/stat; the name may contain blanks and parentheses."""
    try:
        return (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _ask_ps(pid: int, column: str) -> str:
    listing = subprocess.run(["ps", "-p", str(pid), "-o", f"{column}="], capture_output=True, text=True, check=False)  # noqa: S603,S607
    return listing.stdout.strip()
