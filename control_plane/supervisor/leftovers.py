"""What an instance leaves behind that was killed instead of stopped: orphaned children, sockets, state files."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from control_plane.supervisor.instance import Instance, read_instance
from control_plane.supervisor.run_dir import RunDir, remove_sockets


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
    for process in instance.processes:
        if process.pid is None:
            continue
        command = _command_line(process.pid)
        if str(path) in command or instance.sockets in command:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def _command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    if Path("/proc").exists():
        return ""
    listing = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)  # noqa: S603,S607
    return listing.stdout
