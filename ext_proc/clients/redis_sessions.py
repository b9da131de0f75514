"""Sessions in Redis, for all workers of several gateways, through Envoy's internal listener.

Envoy holds the password, bounds the time of an answer, and fails at once while Redis is ejected. The timeout
here covers Envoy itself. Failures are counted and logged, and the session counts as unknown.
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
"""Timeout of Envoy, whose own timeout for Redis is shorter."""
_MOST_CONNECTIONS: Final = 16
"""Maximum of connections to Envoy, which has one connection to Redis per thread; further calls wait."""

Value = TypeVar("Value")


class RedisSessions:
    """Stores sessions through Envoy at `url` (`unix:///path` or `redis://host:port`). Bound to one event loop."""

    def __init__(self, url: str, metrics: SessionMetrics, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Open no connection yet."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MOST_CONNECTIONS,
            timeout=wait_seconds,
            socket_timeout=wait_seconds,
            socket_connect_timeout=wait_seconds,
            # redis_proxy supports neither a later protocol nor the client's name.
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
        """See `SessionStore.write`. Redis itself limits the number of entries."""
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
        except Exception as error:  # noqa: BLE001  # the client raises more than its own errors for invalid replies
            self._metrics.failed("redis", operation, error)
            return otherwise


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
