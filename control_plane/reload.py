"""Follows the configuration file. If it becomes invalid, the problems are reported and the last good configuration stays.

    file or .env changed -> compile (in a thread: ADS stays responsive) -> publish (in background; a newer file replaces it)

The files are polled, which works for editors that rename, for symlinks that Kubernetes swaps, and on every file system.
"""

import asyncio
import stat
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog

from control_plane.ads import Nack, Outcome, OutcomeKind, Snapshot
from control_plane.ads.types import short_name
from control_plane.errors import ConfigError, Problem
from control_plane.status import ConfigState, ServedListener

MAX_CONFIG_BYTES: Final = 16 * 2**20
POLL_SECONDS: Final = 0.2
SETTLE_SECONDS: Final = 0.05
"""A changed file is checked again after this time, until it is stable."""
_MAX_LOOKS: Final = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A configuration file that can be served."""

    snapshot: Snapshot
    listeners: tuple[ServedListener, ...] = ()
    warnings: tuple[Problem, ...] = ()


class Result(StrEnum):
    """The result of reading the file once."""

    PUBLISHED = "published"
    UNCHANGED = "unchanged"
    INVALID = "invalid"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The state after reading the file: `result` and `seconds` concern that reading, the rest is the whole state."""

    result: Result
    seconds: float
    state: ConfigState
    tried_version: str
    loaded_at: datetime
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    served: Compiled
    published_at: datetime


class Reloader:
    """Publishes each new state of the file."""

    def __init__(
        self,
        file: Path,
        *,
        compile_file: Callable[[Path], Compiled],
        publish: Callable[[Snapshot], Awaitable[Outcome]],
        report: Callable[[Report], None],
    ) -> None:
        self._file = file
        self._compile_file = compile_file
        self._publish = publish
        self._tell = report
        self._seen = self._fingerprint()
        self._attempts = 0
        self._report: Report | None = None

    async def start(self) -> None:
        """Load the file for the first time and publish it.

        Raises:
            ConfigError: It is invalid, and there is no earlier configuration.
        """
        started, self._seen = time.monotonic(), self._fingerprint()
        compiled = await asyncio.to_thread(self._compile)
        await self._publish(compiled.snapshot)
        now = _now()
        self._conclude(
            Report(
                result=Result.PUBLISHED,
                seconds=time.monotonic() - started,
                state=ConfigState.OK,
                tried_version=compiled.snapshot.version,
                loaded_at=now,
                problems=(),
                warnings=compiled.warnings,
                served=compiled,
                published_at=now,
            )
        )

    async def run(self) -> None:
        """Follow the file until cancelled. `start` must have succeeded."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._change()
                self._attempts += 1
                started = time.monotonic()
                try:
                    compiled = await asyncio.to_thread(self._compile)
                except ConfigError as error:
                    self._failed(Result.INVALID, error.problems, error.warnings, version="", started=started)
                else:
                    tasks.create_task(self._bring_out(compiled, attempt=self._attempts, started=started))

    async def _change(self) -> None:
        """Wait until the file or the .env beside it has changed, and is stable for a moment."""
        while (found := self._fingerprint()) == self._seen:  # noqa: ASYNC110 - files send no events
            await asyncio.sleep(POLL_SECONDS)
        for _ in range(_MAX_LOOKS):
            await asyncio.sleep(SETTLE_SECONDS)
            previous, found = found, self._fingerprint()
            if previous == found:
                break
        self._seen = found  # taken before reading: later writes count as another change

    def _fingerprint(self) -> tuple[object, ...]:
        return _fingerprint(self._file), _fingerprint(self._file.parent / ".env")

    def _compile(self) -> Compiled:
        try:
            _check_readable(self._file)
            return self._compile_file(self._file)
        except ConfigError:
            raise
        except Exception as error:
            _log.error("config_load_failed", file=str(self._file), error=error)
            message = f"cannot be loaded: {type(error).__name__} (a defect of plano, please report it)"
            raise ConfigError((_file_problem(self._file, "internal-error", message),)) from error

    async def _bring_out(self, compiled: Compiled, *, attempt: int, started: float) -> None:
        try:
            outcome = await self._publish(compiled.snapshot)
            problems = tuple(_nack_problem(self._file, nack) for nack in outcome.nacks)
        except Exception as error:  # noqa: BLE001 - reported; the next change needs this task
            _log.error("config_publication_failed", file=str(self._file), error=error)
            problem = _file_problem(self._file, "internal-error", f"cannot be published: {type(error).__name__}")
            outcome, problems = Outcome(kind=OutcomeKind.REJECTED), (problem,)
        if outcome.kind is OutcomeKind.REJECTED and attempt == self._attempts:
            version = compiled.snapshot.version
            self._failed(Result.REJECTED, problems, compiled.warnings, version=version, started=started)
        elif outcome.kind in {OutcomeKind.PUBLISHED, OutcomeKind.UNCHANGED}:
            self._succeeded(Result(outcome.kind), compiled, is_latest=attempt == self._attempts, started=started)

    def _succeeded(self, result: Result, compiled: Compiled, *, is_latest: bool, started: float) -> None:
        report, seconds, now = self._last(), time.monotonic() - started, _now()
        published_at = now if result is Result.PUBLISHED else report.published_at
        report = replace(report, result=result, seconds=seconds, served=compiled, published_at=published_at)
        if is_latest:  # else the file has changed since, and its report stays
            version, warnings = compiled.snapshot.version, compiled.warnings
            report = replace(report, state=ConfigState.OK, tried_version=version, loaded_at=now, problems=(), warnings=warnings)
        self._conclude(report)

    def _failed(
        self, result: Result, problems: tuple[Problem, ...], warnings: tuple[Problem, ...], *, version: str, started: float
    ) -> None:
        report = replace(self._last(), result=result, seconds=time.monotonic() - started, state=ConfigState(result))
        self._conclude(replace(report, tried_version=version, loaded_at=_now(), problems=problems, warnings=warnings))

    def _last(self) -> Report:
        if self._report is None:
            raise RuntimeError("start must come first")
        return self._report

    def _conclude(self, report: Report) -> None:
        self._report = report
        self._tell(report)


def _fingerprint(file: Path) -> tuple[int, ...] | int | None:
    try:
        found = file.stat()
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev


def _check_readable(file: Path) -> None:
    """Reject files that would block, or fill the memory, before opening them."""
    try:
        found = file.stat()
        if stat.S_ISREG(found.st_mode):
            file.open("rb").close()
    except OSError as error:
        raise ConfigError((_file_problem(file, "unreadable-file", f"cannot be read: {error.strerror}"),)) from error
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError((_file_problem(file, "unreadable-file", "is not a regular file"),))
    if found.st_size > MAX_CONFIG_BYTES:
        message = f"has {found.st_size} bytes, more than the {MAX_CONFIG_BYTES} that a configuration may have"
        raise ConfigError((_file_problem(file, "huge-file", message),))


def _nack_problem(file: Path, nack: Nack) -> Problem:
    message = f"{nack.node_id or nack.role} refused {short_name(nack.type_url)}: {nack.message}"
    return _file_problem(file, f"refused-by-{nack.role.value.replace('_', '-')}", message)


def _file_problem(file: Path, code: str, message: str) -> Problem:
    return Problem(path="", code=code, message=message, file=str(file))


def _now() -> datetime:
    return datetime.now(UTC)
