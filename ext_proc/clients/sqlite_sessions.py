"""Sessions in SQLite: one file in shared memory, for all workers of a machine.

Calls take some ten microseconds, so they run on the event loop; the wait for another worker's write is limited to
BUSY_SECONDS. Failures are counted and logged, and the session counts as unknown.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from ext_proc.telemetry.session_metrics import SessionMetrics

BUSY_SECONDS: Final = 0.02
MOST_UNSWEPT: Final = 32
"""Writes of one worker between two clean-ups: the number of entries may be exceeded by as many per worker."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sessions (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires REAL NOT NULL, used REAL NOT NULL)
WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_use ON sessions (used);
"""
_WRITE: Final = "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)"
_CLAIM: Final = """
INSERT INTO sessions VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires, used = excluded.used
WHERE sessions.expires <= excluded.used
"""
_READ: Final = "SELECT value FROM sessions WHERE key = ? AND expires > ?"
_UPDATE: Final = "UPDATE sessions SET value = ? WHERE key = ?"
_EXPIRE: Final = "DELETE FROM sessions WHERE expires <= ?"
_EVICT: Final = """
DELETE FROM sessions WHERE key IN
(SELECT key FROM sessions ORDER BY used LIMIT max(0, (SELECT count(*) FROM sessions) - ?))
"""

Value = TypeVar("Value")


class SqliteSessions:
    """Stores sessions in a file; without a path, in this process."""

    def __init__(self, path: str, metrics: SessionMetrics, *, now: Callable[[], float] = time.time) -> None:
        """Open no file yet."""
        self._path = path
        self._metrics = metrics
        self._now = now
        self._database: sqlite3.Connection | None = None
        self._unswept = 0

    async def read(self, key: str) -> bytes | None:
        """See `SessionStore.read`."""
        return self._guarded("read", lambda database: self._read(database, key), None)

    async def write(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> None:
        """See `SessionStore.write`."""
        now = self._now()
        row = (key, value, now + ttl_seconds, now)
        self._guarded("write", lambda database: self._write(database, _WRITE, row, max_entries), None)

    async def claim(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> bytes:
        """See `SessionStore.claim`."""
        now = self._now()
        row = (key, value, now + ttl_seconds, now)

        def claim(database: sqlite3.Connection) -> bytes:
            self._write(database, _CLAIM, row, max_entries)
            return self._read(database, key) or value

        return self._guarded("write", claim, value)

    async def update(self, key: str, value: bytes) -> None:
        """See `SessionStore.update`."""

        def update(database: sqlite3.Connection) -> None:
            database.execute(_UPDATE, (value, key))

        self._guarded("write", update, None)

    async def aclose(self) -> None:
        """See `SessionStore.aclose`."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _guarded(self, operation: str, call: Callable[[sqlite3.Connection], Value], otherwise: Value) -> Value:
        try:
            if self._database is None:
                self._database = _open(self._path)
            return call(self._database)
        except (sqlite3.Error, OSError) as error:
            self._metrics.failed("memory", operation, error)
            return otherwise

    def _read(self, database: sqlite3.Connection, key: str) -> bytes | None:
        row = database.execute(_READ, (key, self._now())).fetchone()
        return bytes(row[0]) if row else None

    def _write(
        self, database: sqlite3.Connection, statement: str, row: tuple[str, bytes, float, float], max_entries: int
    ) -> None:
        database.execute(statement, row)
        self._unswept += 1
        if self._unswept >= min(MOST_UNSWEPT, max_entries):
            self._unswept = 0
            database.execute(_EXPIRE, (row[3],))
            database.execute(_EVICT, (max_entries,))


def _open(path: str) -> sqlite3.Connection:
    if path:
        # SQLite creates its other files with the mode of this one.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        Path(path).chmod(0o600)
    database = sqlite3.connect(path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None)
    # Durability is not needed: the file is in memory.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = OFF")
    database.executescript(_SCHEMA)
    return database
