"""The store of sessions: shared by processes, bounded, closed to others, and silent about its own failures."""

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ext_proc.clients.sqlite_sessions import BUSY_SECONDS, SqliteSessions
from ext_proc.telemetry.session_metrics import SessionMetrics


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Store:
    """A store and what it has counted."""

    def __init__(self, path: str = "") -> None:
        self.clock = Clock()
        self.registry = CollectorRegistry()
        self.sessions = SqliteSessions(path, SessionMetrics(self.registry), now=self.clock)

    async def write(self, key: str, value: bytes = b"v", ttl: float = 60, entries: int = 100) -> None:
        self.clock.now += 0.001
        await self.sessions.write(key, value, ttl_seconds=ttl, max_entries=entries)

    def failures(self, operation: str) -> float:
        labels = {"store": "memory", "operation": operation}
        return self.registry.get_sample_value("plano_session_store_failures_total", labels) or 0


async def test_what_is_written_is_read_until_it_expires() -> None:
    store = Store()
    assert await store.sessions.read("a") is None
    await store.write("a", b"\x00binary", ttl=60)
    assert await store.sessions.read("a") == b"\x00binary"
    store.clock.now += 61
    assert await store.sessions.read("a") is None


async def test_the_first_claim_wins_until_it_expires() -> None:
    store = Store()
    assert await store.sessions.claim("a", b"1", ttl_seconds=60, max_entries=9) == b"1"
    assert await store.sessions.claim("a", b"2", ttl_seconds=60, max_entries=9) == b"1"
    store.clock.now += 61
    assert await store.sessions.claim("a", b"3", ttl_seconds=60, max_entries=9) == b"3"


@pytest.mark.parametrize("entries", [1, 10])
async def test_who_was_silent_longest_is_forgotten(entries: int) -> None:
    store = Store()
    for number in range(100):
        await store.write(f"s{number}", entries=entries)
        await store.write("busy", entries=entries) if entries > 1 else None
    kept = [number for number in range(100) if await store.sessions.read(f"s{number}") is not None]
    assert 1 <= len(kept) <= 2 * entries
    assert kept == list(range(100 - len(kept), 100))
    assert entries == 1 or await store.sessions.read("busy") is not None


async def test_other_processes_see_it_and_other_users_do_not(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    store = Store(str(path))
    await store.write("a", b"from here", ttl=1e9)
    program = f"""
import asyncio
from ext_proc.clients.sqlite_sessions import SqliteSessions
from ext_proc.telemetry.session_metrics import SessionMetrics
async def main():
    sessions = SqliteSessions({str(path)!r}, SessionMetrics(), now=lambda: 2000.0)
    assert await sessions.read("a") == b"from here"
    await sessions.write("b", b"from there", ttl_seconds=60, max_entries=9)
asyncio.run(main())
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)  # noqa: ASYNC221
    assert await store.sessions.read("b") == b"from there"
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}  # noqa: ASYNC240
    await store.sessions.aclose()


async def test_a_store_that_is_held_up_or_broken_knows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite"
    store = Store(str(path))
    await store.write("a")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        await store.write("b")
        assert await store.sessions.claim("c", b"own", ttl_seconds=60, max_entries=9) == b"own"
        assert await store.sessions.read("a") == b"v"
    other.close()
    assert (store.failures("write"), store.failures("read")) == (2, 0)
    assert BUSY_SECONDS <= 0.05
    await store.sessions.aclose()
    nowhere = Store(str(tmp_path / "missing" / "sessions.sqlite"))
    assert await nowhere.sessions.read("a") is None
    assert nowhere.failures("read") == 1
    path.write_bytes(b"not a database" * 1000)
    broken = Store(str(path))
    assert await broken.sessions.read("a") is None
    assert broken.failures("read") == 1
