"""What an instance leaves behind that was killed instead of stopped: orphaned children, sockets, state files."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from control_plane.supervisor.instance import Instance, read_instance
from control_plane.supervisor.run_dir import RunDir, remove_sockets

_DEATH_SECONDS = 5.0
_POLL_SECONDS = 0.01


def clear_leftovers(path: Path) -> None:
    """Remove all that is left of an earlier instance. Only for who holds the run dir's lock."""
    unknown_sockets = RunDir(path, path)
    instance = read_instance(unknown_sockets.instance)
    if instance:
        _kill_orphans(instance, path)
        remove_sockets(RunDir(path, Path(instance.sockets)))
    remove_sockets(unknown_sockets)
    for file in (unknown_sockets.instance, unknown_sockets.status):
        file.unlink(missing_ok=True)


def _kill_orphans(instance: Instance, path: Path) -> None:
    """Kill recorded children that still run; a pid that another program has by now is told by its command line."""
    recorded = [process.pid for process in instance.processes if process.pid is not None]
    orphans = [pid for pid in recorded if any(place in _command_line(pid) for place in (str(path), instance.sockets))]
    for pid in orphans:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    # Until they are gone they hold their ports.
    deadline = time.monotonic() + _DEATH_SECONDS
    while any(map(_runs, orphans)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _runs(pid: int) -> bool:
    """Whether a process has not ended; one that waits for its parent to notice has, if none of its threads is left.

    A process that is killed shows as a zombie once its first thread is gone. Until the last one is, it holds its ports.
    """
    if Path("/proc").exists():
        try:
            state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            threads = len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            return False
        return state not in "ZX" or threads > 1
    return _command_line(pid) not in ("", "<defunct>")


def _command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    if Path("/proc").exists():
        return ""
    listing = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)  # noqa: S603,S607
    return listing.stdout
