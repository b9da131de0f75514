"""Sessions that two gateways share in one Redis, which each reaches through its own real Envoy: one plainly, one over TLS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from tests.kit import certificates
from tests.kit.actor import acting
from tests.kit.completions import COMPLETED
from tests.kit.envoy import free_port
from tests.kit.redis_server import USER, RedisServer, redis_server, tls_before
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-shared-sessions")]

PASSWORD = "p@ss/word:of-redis"
CONFIG = """
version: v0.4.0
model_providers:
  - {{model: openai/coder, base_url: "{provider}", access_key: $KEY}}
  - {{model: openai/poet, base_url: "{provider}", access_key: $KEY}}
routing_preferences:
  - {{name: code, description: Writing new code, models: [openai/coder]}}
  - {{name: poems, description: Poems, models: [openai/poet]}}
routing:
  session_ttl_seconds: 300
  session_cache: {{type: redis, url: "{redis}", tenant_header: x-org}}
overrides: {{upstream_tls_ca_path: "{ca}"}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}}}
"""
CODE, POEM = "Please write new code.", "A poem about cats."


@dataclass(frozen=True, slots=True)
class World:
    one: WholeGateway
    other: WholeGateway
    """Speaks TLS to the same server, as a user of its own."""
    redis: RedisServer

    async def ask(self, gateway: WholeGateway, text: str, **headers: str) -> httpx.Response:
        body = {"model": "openai/coder", "messages": [{"role": "user", "content": text}]}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await gateway.http.post(f"{gateway.url('models')}/v1/chat/completions", json=body, headers=named)
        assert answer.status_code == 200
        return answer

    async def until_pinned(self, gateway: WholeGateway, session: str) -> None:
        """Ask until the session keeps its model, which takes until Envoy tries Redis once more."""
        async with asyncio.timeout(10):
            while True:
                answer = await self.ask(gateway, POEM, x_model_affinity=session)
                if answer.headers["x-plano-decision"].startswith("pinned; "):
                    return
                await asyncio.sleep(0.05)


def failures(gateway: WholeGateway) -> float:
    return gateway.metric("plano_session_store_failures_total", store="redis", operation="read")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    files = certificates.issue(tmp_path_factory.mktemp("redis"), "localhost")
    env = {"KEY": "sk-secret", "PASSWORD": quote(PASSWORD, safe="")}
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        provider, redis = await enter(acting(COMPLETED)), await enter(redis_server(PASSWORD))
        tls_port = await enter(tls_before(redis.port, files))
        urls = f"redis://:$PASSWORD@127.0.0.1:{redis.port}", f"rediss://{USER}:$PASSWORD@localhost:{tls_port}/0"
        one, other = [
            await enter(whole_gateway(CONFIG.format(provider=provider.url, redis=url, ca=files.ca, port=free_port()), env))
            for url in urls
        ]
        yield World(one, other, redis)


async def test_what_one_gateway_has_decided_holds_at_the_other(world: World) -> None:
    before = failures(world.one)
    first = await world.ask(world.one, CODE, x_model_affinity="held", x_org="acme")
    assert first.headers["x-plano-decision"].startswith("built_in_router; ")
    then = await world.ask(world.other, POEM, x_model_affinity="held", x_org="acme")
    assert then.headers["x-plano-decision"] == 'pinned; route "code" of the session'
    assert 290 <= await world.redis.client.ttl("plano:affinity:acme:named:held") <= 300
    elsewhere = await world.ask(world.other, POEM, x_model_affinity="held", x_org="umbrella")
    assert elsewhere.headers["x-plano-model"] == "openai/poet"
    assert (failures(world.one), failures(world.other)) == (before, 0)


async def test_of_many_first_requests_one_decides(world: World) -> None:
    places = [(world.one, CODE), (world.other, POEM)] * 5
    answers = await asyncio.gather(*(world.ask(gateway, text, x_model_affinity="raced") for gateway, text in places))
    assert len({answer.headers["x-plano-model"] for answer in answers}) == 1


async def test_a_redis_that_says_nothing_costs_a_moment_and_then_nothing(world: World) -> None:
    await world.ask(world.one, CODE, x_model_affinity="patient")
    before = failures(world.one)
    world.redis.pause()
    try:
        for text, model in [(CODE, "openai/coder"), (POEM, "openai/poet")] * 5:
            answer = await world.ask(world.one, text, x_model_affinity="patient")
            assert answer.headers["x-plano-model"] == model
        assert failures(world.one) == before + 10
        ejected = await world.one.envoy.stat("cluster.store/sessions.outlier_detection.ejections_enforced_total")
        assert ejected >= 1
    finally:
        world.redis.go_on()
    await world.until_pinned(world.one, "patient")


async def test_what_is_no_session_is_decided_anew(world: World) -> None:
    for nonsense in (b"", b"\xff", b"[]", b"{}", b'{"history": 3}'):
        await world.redis.client.set("plano:affinity:odd", nonsense)
        answer = await world.ask(world.one, POEM, x_model_affinity="odd")
        assert answer.headers["x-plano-model"] == "openai/poet"


async def test_envoy_alone_knows_the_password_and_does_not_tell(world: World) -> None:
    for gateway in (world.one, world.other):
        dump = (await gateway.envoy.admin.get("/config_dump")).text
        assert "redis_proxy" in dump
        assert PASSWORD not in dump
        assert quote(PASSWORD, safe="") not in dump
        assert PASSWORD not in gateway.envoy.log.read_text()
