"""Sessions in Redis, for all workers of several gateways, through Envoy's internal listener.

Envoy holds the password, bounds how long an answer may take, and refuses at once while Redis does not answer. The time that is
bounded here is what Envoy itself may take. Whatever fails is counted and logged, and the session is as good as unknown.
"""

from collections.abc import Awaitable
from typing import Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ext_proc.telemetry.session_metrics import SessionMetrics

PREFIX: Final = "plano:affinity:"
"""Prefix of every key."""
WAIT_SECONDS: Final = 0.15
"""For Envoy, whose own patience with Redis is shorter."""
_MOST_CONNECTIONS: Final = 16
"""To Envoy, which passes on what they say over one of its own per thread; further calls wait for one."""

Value = TypeVar("Value")


class RedisSessions:
    """Keeps sessions behind `url` (`unix:///path` or `redis://host:port`), where Envoy listens. Bound to one event loop."""

    def __init__(self, url: str, metrics: SessionMetrics, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Connect to nothing yet."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MOST_CONNECTIONS,
            timeout=wait_seconds,
            socket_timeout=wait_seconds,
            socket_connect_timeout=wait_seconds,
            # What redis_proxy does not pass on: a later protocol, and the client's name.
            protocol=2,
            driver_info=None,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis.from_pool(pool)
        self._metrics = metrics

    async def read(self, key: str) -> bytes | None:
        """See `SessionStore.read`."""
        found = await self._guarded("read", self._redis.get(PREFIX + key), None)
        return found if isinstance(found, bytes) else None

    async def write(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> None:  # noqa: ARG002
        """See `SessionStore.write`. Redis itself bounds how many it keeps."""
        await self._guarded("write", self._redis.set(PREFIX + key, value, px=_milliseconds(ttl_seconds)), None)

    async def claim(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> bytes:  # noqa: ARG002
        """See `SessionStore.claim`."""
        both = self._redis.pipeline(transaction=False)
        both.set(PREFIX + key, value, px=_milliseconds(ttl_seconds), nx=True)
        both.get(PREFIX + key)
        _, kept = await self._guarded("write", both.execute(), (None, None))
        return kept if isinstance(kept, bytes) else value

    async def update(self, key: str, value: bytes) -> None:
        """See `SessionStore.update`."""
        await self._guarded("write", self._redis.set(PREFIX + key, value, xx=True, keepttl=True), None)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _guarded(self, operation: str, call: Awaitable[Value], otherwise: Value) -> Value:
        try:
            return await call
        except Exception as error:  # noqa: BLE001  # what the client makes of nonsense is not only its own errors
            self._metrics.failed("redis", operation, error)
            return otherwise


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
