"""TCP ports of loopback for tests: below those from which the kernel takes the near ends of connections, and nobody else's.

A port of the kernel's choice is free when it is asked for; until somebody listens on it, any connection may get it.
"""

import fcntl
import secrets
import socket
import tempfile
from pathlib import Path
from typing import IO, Final

_LOWEST: Final = 10_240
_KERNEL_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOCKS: Final = Path(tempfile.gettempdir()) / "plano-test-ports"
_held: list[IO[bytes]] = []
"""Locks of this process: they end with it, however it ends."""


def free_port() -> int:
    """Return a port that nobody listens on, and that no other test process is given as long as this one lives."""
    _LOCKS.mkdir(exist_ok=True)
    candidates = range(_LOWEST, _kernels_lowest())
    for port in secrets.SystemRandom().sample(candidates, len(candidates)):
        if _is_free(port) and _hold(port):
            return port
    raise OSError("no TCP port is free")


def _kernels_lowest() -> int:
    try:
        return int(_KERNEL_RANGE.read_text().split()[0])
    except OSError:
        return 32_768


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _hold(port: int) -> bool:
    lock = (_LOCKS / str(port)).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _held.append(lock)
    return True
