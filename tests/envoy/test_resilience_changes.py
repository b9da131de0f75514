"""Instances and chains that change while requests are under way, in a real Envoy that follows a publisher."""

import asyncio
from dataclasses import replace

import httpx

from control_plane import ir
from control_plane.ads import OutcomeKind
from protos.contract.headers import AGENT_HEADER
from tests.envoy.test_publication import Gateway, gateway
from tests.kit.faults import FaultyUpstream, faulty
from tests.kit.resilience import endpoint, with_chain, with_instances
from tests.kit.stub_upstream import Received, serving

LINES = 12


async def trickle(_request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
    for _ in range(LINES):
        writer.write(b"data: x\n\n")
        await writer.drain()
        await asyncio.sleep(0.1)


async def ask(running: Gateway) -> httpx.Response:
    return await running.client.post("/v1/chat/completions", json={"messages": []})


async def serve(running: Gateway, value: ir.Gateway) -> None:
    assert await running.publish(value) is OutcomeKind.PUBLISHED


async def test_an_instance_that_leaves_finishes_what_it_began_and_gets_nothing_new() -> None:
    async with gateway() as running, serving(trickle) as leaving, faulty("stays") as (stays,):
        old = ir.Endpoint(host="127.0.0.1", port=leaving.port)
        await serve(running, with_instances(running.value, [old]))
        async with running.client.stream("POST", "/", json={}) as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            await serve(running, with_instances(running.value, [endpoint(stays)]))
            asked = len(leaving.received)
            assert {(await ask(running)).json()["from"] for _ in range(5)} == {"stays"}
            assert [line async for line in lines if line] == ["data: x"] * (LINES - 1)
        assert len(leaving.received) == asked


async def test_a_chain_comes_and_goes() -> None:
    async with gateway() as running, faulty("a", "b", "c") as (a, b, c):
        for upstreams in ([a, b], [c], [b, a, c]):
            value = with_chain(running.value, upstreams)
            await serve(running, value)
            upstreams[0].script(503, 200)
            assert (await ask(running)).status_code == 200
        await serve(running, running.value)
        assert await running.ask() == 200


async def test_a_chain_may_have_members_with_names() -> None:
    async with gateway() as running, faulty("a", "b") as (a, b):
        value = by_name(with_chain(running.value, [a, b]))
        await serve(running, value)
        answer = await ask(running)
        assert (answer.json(), answer.headers[AGENT_HEADER]) == ({"from": "a"}, "a")
        a.script(503)
        answer = await ask(running)
        assert (answer.json(), answer.headers[AGENT_HEADER]) == ({"from": "b"}, "b")
        assert [request.headers["x-key"] for request in (*a.received, *b.received)][-2:] == ["key of a", "key of b"]


def by_name(value: ir.Gateway) -> ir.Gateway:
    """Have Envoy resolve where the upstreams are."""
    named = tuple(
        replace(cluster, endpoints=tuple(replace(found, host="localhost") for found in cluster.endpoints))
        for cluster in value.clusters
    )
    return replace(value, clusters=named)


async def test_a_members_instances_change_without_the_chain() -> None:
    async with gateway() as running, faulty("a", "a2") as (a, a2), faulty("b") as (b,):
        value = with_chain(running.value, [a, b])
        await serve(running, value)
        assert (await ask(running)).json() == {"from": "a"}
        await serve(running, moved(value, a2))
        assert (await ask(running)).json() == {"from": "a2"}


def moved(value: ir.Gateway, to: FaultyUpstream) -> ir.Gateway:
    """Have agent `a` elsewhere."""
    clusters = tuple(
        replace(cluster, endpoints=(endpoint(to),)) if cluster.name == "agent/a" else cluster for cluster in value.clusters
    )
    return replace(value, clusters=clusters)
