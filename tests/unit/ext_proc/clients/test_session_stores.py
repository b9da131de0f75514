"""The stores of a worker: which one is in use, and that each is opened once."""

from prometheus_client import CollectorRegistry

from ext_proc.clients.redis_sessions import RedisSessions
from ext_proc.clients.session_stores import SessionStores
from ext_proc.clients.sqlite_sessions import SqliteSessions
from ext_proc.telemetry.session_metrics import SessionMetrics


async def test_a_configuration_says_which_store_is_in_use() -> None:
    stores = SessionStores("", SessionMetrics(CollectorRegistry()))
    assert isinstance(stores.current, SqliteSessions)
    own, redis = stores.current, stores.use("redis://127.0.0.1:9")
    assert isinstance(redis, RedisSessions)
    assert id(stores.current) == id(redis)
    assert stores.use("unix:///nowhere.sock") is not redis
    assert stores.use("redis://127.0.0.1:9") is redis
    assert id(stores.use("")) == id(stores.current) == id(own)
    await stores.aclose()
