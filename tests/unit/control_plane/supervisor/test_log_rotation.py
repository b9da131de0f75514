"""Logs are rotated by size and age, some are kept, and Envoy is asked to open its own anew."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from control_plane.supervisor.log_rotation import LogLimits, LogRotation

LIMITS = LogLimits(max_bytes=10, max_age_seconds=100.0, kept=2)
LARGE = "0123456789"


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def rotation(folder: Path, clock: Clock | None = None) -> LogRotation:
    return LogRotation(folder, LIMITS, admin_socket=str(folder / "admin.sock"), now=clock or Clock())


def test_a_large_log_is_moved_and_the_last_ones_are_kept(tmp_path: Path) -> None:
    rotating, log = rotation(tmp_path), tmp_path / "access.log"
    for number in range(4):
        log.write_text(f"{LARGE}{number}")
        assert rotating.rotate_due() == ["access"]
        assert not log.exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["access.log.1", "access.log.2"]
    assert (tmp_path / "access.log.1").read_text() == f"{LARGE}3"
    assert (tmp_path / "access.log.2").read_text() == f"{LARGE}2"


def test_small_young_and_empty_logs_stay(tmp_path: Path) -> None:
    clock = Clock()
    rotating = rotation(tmp_path, clock)
    (tmp_path / "access.log").write_text("x")
    (tmp_path / "ext_proc.log").touch()
    assert rotating.rotate_due() == []
    clock.seconds = 100.0
    assert rotating.rotate_due() == ["access"]
    assert (tmp_path / "access.log.1").read_text() == "x"


def test_envoys_own_log_goes_on_in_the_same_file(tmp_path: Path) -> None:
    rotating, log = rotation(tmp_path), tmp_path / "envoy.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, LARGE.encode())
    assert rotating.rotate_due() == ["envoy"]
    os.write(descriptor, b"later")
    os.close(descriptor)
    assert (log.read_text(), (tmp_path / "envoy.log.1").read_text()) == ("later", LARGE)


def test_one_that_cannot_be_copied_is_emptied_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("control_plane.supervisor.log_rotation.shutil.copy2", is_full)
    (tmp_path / "envoy.log").write_text(LARGE)
    rotation(tmp_path).rotate_due()
    assert (tmp_path / "envoy.log").read_text() == ""


@asynccontextmanager
async def envoy(socket: Path) -> AsyncIterator[asyncio.Queue[str]]:
    """Stands in for Envoy's admin interface: says what it is asked."""
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.put_nowait(head.split(b"\r\n")[0].decode())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_unix_server(answer, socket):
        yield asked


async def test_envoy_opens_its_logs_anew_when_they_were_rotated_and_when_somebody_else_says_so() -> None:
    with tempfile.TemporaryDirectory(prefix="plano-", dir="/tmp") as name:
        folder = Path(name)
        (folder / "access.log").write_text(LARGE)
        async with asyncio.timeout(10), envoy(folder / "admin.sock") as asked, asyncio.TaskGroup() as tasks:
            rotating = rotation(folder)
            running = tasks.create_task(rotating.run())
            assert await asked.get() == "POST /reopen_logs HTTP/1.1"
            rotating.reopen()
            assert await asked.get() == "POST /reopen_logs HTTP/1.1"
            running.cancel()
