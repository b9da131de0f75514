"""The store of sessions in Redis, against a real server: what it keeps and for how long, and what fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from ext_proc.clients.redis_sessions import PREFIX, WAIT_SECONDS, RedisSessions
from ext_proc.telemetry.session_metrics import SessionMetrics
from tests.kit.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.xdist_group("redis-sessions")
in_module_loop = pytest.mark.asyncio(loop_scope="module")


class Store:
    """A store and what it has counted."""

    def __init__(self, port: int, wait_seconds: float = 1) -> None:
        self.registry = CollectorRegistry()
        metrics = SessionMetrics(self.registry)
        self.sessions = RedisSessions(f"redis://127.0.0.1:{port}", metrics, wait_seconds=wait_seconds)

    def failures(self, operation: str) -> float:
        labels = {"store": "redis", "operation": operation}
        return self.registry.get_sample_value("plano_session_store_failures_total", labels) or 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RedisServer]:
    async with redis_server() as running:
        yield running


@asynccontextmanager
async def answering(words: bytes | None) -> AsyncIterator[int]:
    """Serve the same bytes to whatever is said, or nothing at all; end when all who have connected are gone."""
    gone: list[asyncio.Event] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone.append(asyncio.Event())
        here = gone[-1]
        with suppress(ConnectionError):
            while await reader.read(65536):
                if words is not None:
                    writer.write(words)
            writer.close()
            await writer.wait_closed()
        here.set()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]
        for event in gone:
            await event.wait()


@in_module_loop
async def test_what_is_written_is_read_for_its_time(server: RedisServer) -> None:
    store = Store(server.port)
    assert await store.sessions.read("a:b") is None
    await store.sessions.write("a:b", b"\x00binary", ttl_seconds=600, max_entries=1)
    assert await store.sessions.read("a:b") == b"\x00binary"
    assert 590 <= await server.client.ttl(PREFIX + "a:b") <= 600
    await store.sessions.update("a:b", b"noted")
    assert await store.sessions.read("a:b") == b"noted"
    assert 590 <= await server.client.ttl(PREFIX + "a:b") <= 600
    await store.sessions.update("nobody", b"noted")
    assert await store.sessions.read("nobody") is None
    await store.sessions.write("soon", b"gone", ttl_seconds=0.0001, max_entries=1)
    assert await server.client.pttl(PREFIX + "soon") <= 1
    await store.sessions.aclose()


@in_module_loop
async def test_of_many_claims_at_once_one_wins(server: RedisServer) -> None:
    one, other = Store(server.port), Store(server.port)
    claims = [
        store.sessions.claim("raced", b"%d" % number, ttl_seconds=60, max_entries=1)
        for number, store in enumerate([one, other] * 10)
    ]
    assert len(set(await asyncio.gather(*claims))) == 1
    assert 50 <= await server.client.ttl(PREFIX + "raced") <= 60
    assert (one.failures("write"), other.failures("write")) == (0, 0)
    await one.sessions.aclose()
    await other.sessions.aclose()


@pytest.mark.parametrize(
    "words", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR no upstream host\r\n" * 2, b"\xff\x00", b":7\r\n" * 2]
)
async def test_a_store_that_is_silent_or_talks_nonsense_knows_nothing(words: bytes | None) -> None:
    async with answering(words) as port, asyncio.timeout(20 * WAIT_SECONDS):
        store = Store(port, WAIT_SECONDS)
        assert await store.sessions.read("a") is None
        assert await store.sessions.claim("a", b"own", ttl_seconds=60, max_entries=1) == b"own"
        await store.sessions.write("a", b"v", ttl_seconds=60, max_entries=1)
        await store.sessions.update("a", b"v")
        await store.sessions.aclose()
    if words is None:
        assert (store.failures("read"), store.failures("write")) == (1, 3)


async def test_a_store_that_is_not_there_knows_nothing() -> None:
    async with answering(None) as port:
        pass
    store = Store(port)
    assert await store.sessions.read("a") is None
    assert store.failures("read") == 1


@given(words=st.binary(min_size=1, max_size=40))
def test_no_answer_makes_it_raise(words: bytes) -> None:
    async def run() -> None:
        async with answering(words + b"\r\n") as port, asyncio.timeout(5):
            store = Store(port, wait_seconds=0.01)
            found = await store.sessions.read("a")
            assert found is None or isinstance(found, bytes)
            assert isinstance(await store.sessions.claim("a", b"own", ttl_seconds=60, max_entries=1), bytes)
            await store.sessions.aclose()

    asyncio.run(run())
