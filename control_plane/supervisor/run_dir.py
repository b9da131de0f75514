"""The run dir: sockets, logs and state of one instance, closed to other users.

Socket paths are limited to about 107 bytes (104 on macOS) and are parsed as URIs by gRPC, so sockets move to a short
private directory when the run dir's path is too long or not a valid URI.
"""

import os
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from control_plane.supervisor.errors import CannotStart

SOCKET_PATH_BYTES = 103
LONGEST_SOCKET_NAME = "ext_proc-9999.sock.new"
SOCKETS_PREFIX = "plano-"
EGRESS_SOCKET: Final = "egress.sock"
"""Among an instance's sockets."""
_SAFE_IN_URI = re.compile(r"[A-Za-z0-9/._-]+")


def default_run_dir() -> Path:
    """Return the default of `--run-dir`."""
    return Path.home() / ".plano" / "run"


@dataclass(frozen=True, slots=True)
class RunDir:
    """The paths in one run dir."""

    path: Path
    """Absolute."""
    sockets: Path
    """The run dir itself, or a short directory of its own."""

    @property
    def xds_socket(self) -> Path:
        """The control plane's ADS socket."""
        return self.sockets / "xds.sock"

    @property
    def egress_socket(self) -> Path:
        """The egress listener's socket."""
        return self.sockets / EGRESS_SOCKET

    @property
    def admin_socket(self) -> Path:
        """The socket of Envoy's admin interface, which can stop Envoy and dump its configuration."""
        return self.sockets / "admin.sock"

    @property
    def embedder_socket(self) -> Path:
        """The embedder's socket."""
        return self.sockets / "embedder.sock"

    def ext_proc_socket(self, worker: int | str) -> Path:
        """The socket of one ext_proc worker; `{worker}` gives the pattern."""
        return self.sockets / f"ext_proc-{worker}.sock"

    @property
    def bootstrap(self) -> Path:
        """Envoy's bootstrap."""
        return self.path / "bootstrap.yaml"

    @property
    def status(self) -> Path:
        """Written by the control plane: configuration and acknowledgements."""
        return self.path / "status.json"

    @property
    def instance(self) -> Path:
        """Written by the supervisor: processes and addresses."""
        return self.path / "plano.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.path / "plano.lock"

    def log(self, component: str) -> Path:
        """Log file of a process, or `access` for the access log."""
        return self.path / f"{component}.log"


def claim_directory(path: Path) -> Path:
    """Create the run dir if needed, closed to other users; return its absolute path."""
    path = path.absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(path)
    except OSError as error:
        raise CannotStart(f"cannot use the run dir {path}: {error.strerror}") from error
    return path


def place_sockets(path: Path) -> RunDir:
    """Choose the directory of the sockets."""
    return RunDir(path, path if _fits_sockets(path) else _short_directory())


def remove_sockets(run_dir: RunDir) -> None:
    """Remove the sockets, and the directory made for them, before the next start."""
    if run_dir.sockets != run_dir.path:
        if run_dir.sockets.name.startswith(SOCKETS_PREFIX):
            shutil.rmtree(run_dir.sockets, ignore_errors=True)
        return
    for socket in run_dir.path.glob("*.sock"):
        socket.unlink(missing_ok=True)


def _close_to_others(path: Path) -> None:
    """Restrict the directory to its owner: clients of the xDS socket receive provider keys."""
    facts = path.stat()
    if facts.st_uid != os.geteuid():
        raise CannotStart(f"the run dir {path} belongs to another user")
    if not stat.S_IMODE(facts.st_mode) & 0o077:
        return
    if any(path.iterdir()):  # may be a shared directory, such as /tmp, whose mode must not change
        raise CannotStart(f"the run dir {path} is open to other users; run `chmod 700 {path}` or name another --run-dir")
    path.chmod(0o700)


def _fits_sockets(path: Path) -> bool:
    longest = str(path / LONGEST_SOCKET_NAME)
    return len(os.fsencode(longest)) <= SOCKET_PATH_BYTES and _SAFE_IN_URI.fullmatch(longest) is not None


def _short_directory() -> Path:
    directory = Path(tempfile.mkdtemp(prefix=SOCKETS_PREFIX))
    if _fits_sockets(directory):
        return directory
    directory.rmdir()
    return Path(tempfile.mkdtemp(prefix=SOCKETS_PREFIX, dir="/tmp"))
