"""Upstreams from what a real Envoy said.

One of two instances of agent `weather` was down; agent `flight.one` and model `gpt-4.1`, firsts of chains, answered 503.
"""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from control_plane.supervisor.envoy_stats import ask_envoy, read_upstreams
from control_plane.supervisor.upstreams import Breaker, InstanceState, Upstream, UpstreamInstance

RECORDED = Path(__file__).parent / "recorded"
MODELS = "chain/openai/gpt-4.1(chat_completions)"


def recorded(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads((RECORDED / f"{name}.json").read_bytes())
    return loaded


@pytest.fixture
def upstreams() -> dict[str, Upstream]:
    return {upstream.name: upstream for upstream in read_upstreams(recorded("clusters"), recorded("stats"))}


def test_upstreams_are_ours_by_name(upstreams: dict[str, Upstream]) -> None:
    assert list(upstreams) == [
        "agent/flight.one",
        "agent/weather",
        "chain/agent/flight.one",
        MODELS,
        "target/agent/flight.one",
    ]


def test_an_upstream_with_one_instance_down(upstreams: dict[str, Upstream]) -> None:
    assert upstreams["agent/weather"] == Upstream(
        name="agent/weather",
        instances=(
            UpstreamInstance(address="127.0.0.1:10510", state=InstanceState.HEALTHY, requests=8, errors=0),
            UpstreamInstance(address="127.0.0.1:10511", state=InstanceState.EJECTED, requests=0, errors=1),
        ),
        breakers={
            "connections": Breaker(open=False, remaining=9999, overflows=0),
            "pending_requests": Breaker(open=False, remaining=10000, overflows=0),
            "requests": Breaker(open=False, remaining=10000, overflows=0),
            "retries": Breaker(open=False, remaining=None, overflows=0),
        },
        requests=8,
        answers=8,
        failed=0,
        retries=1,
        retries_that_helped=1,
        retries_by_reason={"no_answer": 1},
        attempts_per_answer=1.125,
    )


def test_a_chain_has_failovers_by_reason_and_no_instances(upstreams: dict[str, Upstream]) -> None:
    chain = upstreams["chain/agent/flight.one"]
    assert (chain.instances, chain.answers, chain.retries, chain.retries_that_helped) == ((), 4, 3, 2)
    assert chain.retries_by_reason == {"503": 2, "no_answer": 1}
    assert chain.attempts_per_answer == 1.75
    assert not chain.has_trouble


def test_names_may_have_dots_and_brackets(upstreams: dict[str, Upstream]) -> None:
    assert (upstreams[MODELS].retries_by_reason, upstreams[MODELS].attempts_per_answer) == ({"503": 4}, 2.0)


def test_trouble_and_traffic(upstreams: dict[str, Upstream]) -> None:
    seen = {name: (upstream.has_trouble, upstream.has_traffic) for name, upstream in upstreams.items()}
    assert seen == {
        "agent/flight.one": (False, False),
        "agent/weather": (True, True),
        "chain/agent/flight.one": (False, True),
        MODELS: (False, True),
        "target/agent/flight.one": (True, True),
    }


def one(hosts: list[dict[str, Any]], **stats: int) -> Upstream:
    named = [{"name": f"cluster.model/a.{name.replace('__', '.')}", "value": value} for name, value in stats.items()]
    (upstream,) = read_upstreams({"cluster_statuses": [{"name": "model/a", "host_statuses": hosts}]}, {"stats": named})
    return upstream


@pytest.mark.parametrize(
    ("health", "state"),
    [
        ({"eds_health_status": "HEALTHY"}, InstanceState.HEALTHY),
        ({"eds_health_status": "DEGRADED"}, InstanceState.HEALTHY),
        ({}, InstanceState.HEALTHY),
        ({"eds_health_status": "UNHEALTHY"}, InstanceState.UNHEALTHY),
        ({"failed_active_health_check": True, "failed_outlier_check": True}, InstanceState.UNHEALTHY),
        ({"failed_outlier_check": True, "eds_health_status": "HEALTHY"}, InstanceState.EJECTED),
        ({"failed_active_health_check": True, "pending_dynamic_removal": True}, InstanceState.LEAVING),
    ],
)
def test_states_of_instances(health: dict[str, Any], state: InstanceState) -> None:
    (instance,) = one(
        [{"health_status": health, "address": {"socket_address": {"address": "::1", "port_value": 80}}}]
    ).instances
    assert (instance.state, instance.address) == (state, "[::1]:80")


def test_an_open_breaker() -> None:
    upstream = one(
        [{"address": {}}],
        circuit_breakers__default__rq_open=1,
        circuit_breakers__default__remaining_rq=0,
        upstream_rq_pending_overflow=7,
    )
    assert upstream.breakers["requests"] == Breaker(open=True, remaining=0, overflows=0)
    assert upstream.breakers["pending_requests"] == Breaker(open=False, remaining=None, overflows=7)
    assert upstream.has_trouble


def test_a_name_that_is_not_resolved_is_trouble() -> None:
    assert one([]).has_trouble


def answering(clusters: httpx.Response, stats: httpx.Response) -> httpx.AsyncClient:
    def answer(request: httpx.Request) -> httpx.Response:
        return clusters if request.url.path == "/clusters" else stats

    return httpx.AsyncClient(base_url="http://envoy", transport=httpx.MockTransport(answer))


async def test_one_request_each() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json=recorded("clusters" if request.url.path == "/clusters" else "stats"))

    async with httpx.AsyncClient(base_url="http://envoy", transport=httpx.MockTransport(answer)) as client:
        upstreams = await ask_envoy(client)
    assert upstreams
    assert [url.path for url in asked] == ["/clusters", "/stats"]


@pytest.mark.parametrize(
    "answer", [httpx.Response(503), httpx.Response(200, text="no JSON")], ids=["not ready", "something else"]
)
async def test_an_envoy_that_does_not_say(answer: httpx.Response) -> None:
    async with answering(httpx.Response(200, json={}), answer) as client:
        assert await ask_envoy(client) is None


async def test_an_envoy_that_is_gone() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with httpx.AsyncClient(base_url="http://envoy", transport=httpx.MockTransport(refuse)) as client:
        assert await ask_envoy(client) is None
