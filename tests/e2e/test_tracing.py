"""One request, one id and one trace on every hop: client, filters, agent, and the agent's own call of a model."""

import asyncio

import httpx
import pytest

from tests.e2e.stage import Stage
from tests.kit.plano_up import CHAT
from tests.kit.stub_upstream import Answer, Received

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e-stage")]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
CARRIED = ("x-request-id", "traceparent", "tracestate")
BODY = {"model": "fast", "messages": [{"role": "user", "content": "hi"}]}


def agent_that_asks_a_model(stage: Stage) -> None:
    """Have the agent pass on what it got, as agents should."""

    async def agent(request: Received, _writer: asyncio.StreamWriter) -> Answer:
        carried = {name: request.headers[name] for name in CARRIED if name in request.headers}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{stage.gateway.url('models')}{CHAT}", json=BODY, headers=carried)
        return Answer(answer.status_code, answer.content)

    stage.weather.plays(agent)


async def test_a_clients_trace_goes_everywhere(stage: Stage) -> None:
    agent_that_asks_a_model(stage)
    headers = {"x_request_id": "r-trace", "traceparent": TRACEPARENT, "tracestate": "vendor=1"}
    answer = await stage.gateway.post("filtered", BODY, **headers)
    assert answer.json() == {"from": "provider"}
    hops = [*stage.guard.received, *stage.audit.received, *stage.weather.received, *stage.provider.received]
    assert len(hops) == 5, "the model listener has a filter, too"
    assert {hop.headers["x-request-id"] for hop in hops} == {"r-trace"}
    assert {hop.headers["traceparent"].split("-")[1] for hop in hops} == {TRACE}
    assert {hop.headers["tracestate"] for hop in hops} == {"vendor=1"}
    assert answer.headers["x-request-id"] == "r-trace"


async def test_without_a_trace_one_begins(stage: Stage) -> None:
    agent_that_asks_a_model(stage)
    answer = await stage.gateway.post("filtered", BODY)
    hops = [*stage.guard.received, *stage.audit.received, *stage.weather.received, *stage.provider.received]
    assert {hop.headers["x-request-id"] for hop in hops} == {answer.headers["x-request-id"]}
    (trace,) = {hop.headers["traceparent"].split("-")[1] for hop in hops}
    assert len(trace) == 32
    assert int(trace, 16)


@pytest.mark.parametrize(
    "broken", ["nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", TRACEPARENT.upper(), "ff-" + TRACEPARENT[3:]]
)
@pytest.mark.parametrize("listener", ["solo", "filtered"])
async def test_a_broken_trace_is_replaced(stage: Stage, listener: str, broken: str) -> None:
    await stage.gateway.post(listener, BODY, traceparent=broken)
    seen = stage.weather.last.headers
    assert seen["traceparent"] != broken
    assert len(seen["traceparent"]) == len(TRACEPARENT)


async def test_the_access_log_ties_the_hops_together(stage: Stage) -> None:
    agent_that_asks_a_model(stage)
    await stage.gateway.post("filtered", BODY, x_request_id="r-log", traceparent=TRACEPARENT)
    await stage.gateway.logged(lambda line: line["request_id"] == "r-log" and line["listener"] == "listener/filtered")
    lines = [line for line in await stage.gateway.access_log() if line["request_id"] == "r-log"]
    assert {TRACE} == {line["traceparent"].split("-")[1] for line in lines}
    assert {line["listener"] for line in lines} == {"listener/filtered", "listener/models", "listener/(egress)"}
