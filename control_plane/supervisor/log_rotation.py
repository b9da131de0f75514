"""Rotates the logs of a run dir by size and age: `access.log` becomes `access.log.1`, and a new file takes its place.

Writers reopen their logs: Envoy on a request to its admin interface, our own processes when they see another file
at its path. Envoy's own log is its standard error, which it cannot reopen: that file is copied, then truncated.
"""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from control_plane.supervisor.admin import admin_client
from control_plane.supervisor.logs import COMPONENTS

_SECONDS_BETWEEN_LOOKS: Final = 10.0
_COPIED: Final = "envoy"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLimits:
    """When a log is rotated, and how many are kept."""

    max_bytes: int
    max_age_seconds: float
    kept: int
    """Rotated files of each log."""


class LogRotation:
    """Rotates the logs of one run dir."""

    def __init__(
        self, folder: Path, limits: LogLimits, *, admin_socket: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._limits = limits
        self._admin_socket = admin_socket
        self._now = now
        self._begun = dict.fromkeys(COMPONENTS, now())
        self._reopen = asyncio.Event()

    def reopen(self) -> None:
        """Have Envoy reopen its logs after another tool has moved them. Our own processes notice by themselves."""
        self._reopen.set()

    async def run(self) -> None:
        """Rotate what is due, until cancelled."""
        while True:
            if self.rotate_due() or self._reopen.is_set():
                self._reopen.clear()
                await self._reopen_envoys()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SECONDS_BETWEEN_LOOKS):
                    await self._reopen.wait()

    def rotate_due(self) -> list[str]:
        """Rotate each log that is too large or too old; return their components."""
        due = [component for component in COMPONENTS if self._is_due(component)]
        for component in due:
            self._begun[component] = self._now()
            with contextlib.suppress(OSError):  # a full disk: retried later
                _rotate(self._folder / f"{component}.log", self._limits.kept, is_copied=component == _COPIED)
        return due

    def _is_due(self, component: str) -> bool:
        try:
            size = (self._folder / f"{component}.log").stat().st_size
        except FileNotFoundError:
            return False
        is_old = self._now() - self._begun[component] >= self._limits.max_age_seconds
        return size >= self._limits.max_bytes or (size > 0 and is_old)

    async def _reopen_envoys(self) -> None:
        with contextlib.suppress(httpx.HTTPError):  # a starting Envoy opens them anyway
            async with admin_client(self._admin_socket) as admin:
                await admin.post("/reopen_logs")


def _rotate(log: Path, kept: int, *, is_copied: bool) -> None:
    for number in range(kept - 1, 0, -1):
        with contextlib.suppress(FileNotFoundError):
            os.replace(_numbered(log, number), _numbered(log, number + 1))
    if is_copied:
        try:
            shutil.copy2(log, _numbered(log, 1))
        finally:  # better lost than a disk that stays full
            os.truncate(log, 0)
    else:
        os.replace(log, _numbered(log, 1))


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
