"""Selects the session store: SQLite on this machine, or the configured Redis."""

from ext_proc.clients.sqlite_sessions import SqliteSessions
from ext_proc.routing.affinity.sessions import SessionStore
from ext_proc.telemetry.session_metrics import SessionMetrics


class SessionStores:
    """The stores of one worker. Opens a Redis when a configuration first names it, and closes all at the end."""

    def __init__(self, path: str, metrics: SessionMetrics) -> None:
        """Open no store yet; `path` is the file of this machine's sessions, as in `SqliteSessions`."""
        self._metrics = metrics
        self._own = SqliteSessions(path, metrics)
        self._by_url: dict[str, SessionStore] = {"": self._own}
        self.current: SessionStore = self._own

    def use(self, url: str) -> SessionStore:
        """Select the store at `url`, or this machine's if it is empty. Active requests keep theirs."""
        if url not in self._by_url:
            # Imported here: it takes 0.1 s, and few need it.
            from ext_proc.clients.redis_sessions import RedisSessions

            self._by_url[url] = RedisSessions(url, self._metrics)
        self.current = self._by_url[url]
        return self.current

    async def aclose(self) -> None:
        """Close all stores."""
        for store in self._by_url.values():
            await store.aclose()
