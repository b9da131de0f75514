"""An ext_proc worker that dies takes its own requests with it and no others."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from control_plane.xds import translate
from control_plane.xds.bootstrap import build_bootstrap
from tests.kit import envoy, gateways, static_xds, stub_upstream

pytestmark = pytest.mark.xdist_group("envoy-workers")


@asynccontextmanager
async def worker(address: str) -> AsyncIterator[asyncio.subprocess.Process]:
    # What a killed worker leaves behind.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(address.removeprefix("unix://"))
    command = (sys.executable, "-m", "tests.kit.decider", address, "agent/weather")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


async def post(client: httpx.AsyncClient, **body: object) -> httpx.Response:
    return await client.post("/v1/chat/completions", json=body)


async def healthy(running: envoy.Envoy, count: int) -> None:
    """Wait until Envoy counts so many healthy workers."""
    await running.until("cluster.ext_proc.membership_healthy", count)


@asynccontextmanager
async def gateway_of(
    workers: list[str], folder: Path, *, shows_headers: bool = True
) -> AsyncIterator[tuple[envoy.Envoy, httpx.AsyncClient]]:
    xds, egress = f"unix://{folder}/xds.sock", f"unix://{folder}/egress.sock"
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        upstream = await enter(stub_upstream.serving(stub_upstream.always(stub_upstream.Answer())))
        port = envoy.free_port()
        gateway = gateways.gateway(agent_port=port, model_port=envoy.free_port(), upstream_port=upstream.port, egress=egress)
        listeners = tuple(replace(listener, shows_headers=shows_headers) for listener in gateway.listeners)
        await enter(static_xds.serving(translate(replace(gateway, listeners=listeners)), xds))
        bootstrap = build_bootstrap(node_id="test", xds=xds, ext_proc=workers, admin="127.0.0.1:0")
        running = await enter(envoy.running(bootstrap, folder))
        client = await enter(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20))
        yield running, client


async def test_the_next_requests_go_to_the_workers_that_are_left() -> None:
    async with envoy.short_folder() as folder:
        addresses = [f"unix://{folder}/worker-{number}.sock" for number in (0, 1)]
        async with (
            worker(addresses[0]) as first,
            worker(addresses[1]),
            gateway_of(addresses, folder) as (running, client),
        ):
            await healthy(running, 2)
            # Both have connections now.
            assert {(await post(client)).status_code for _ in range(4)} == {200}
            await kill(first)
            assert [(await post(client)).status_code for _ in range(30)] == [200] * 30
            assert await running.stat("cluster.ext_proc.upstream_rq_retry_success") > 0


async def test_bodies_too_large_to_be_tried_again_meet_a_dead_worker_once_at_most() -> None:
    async with envoy.short_folder() as folder:
        addresses = [f"unix://{folder}/worker-{number}.sock" for number in (0, 1)]
        async with (
            worker(addresses[0]) as first,
            worker(addresses[1]),
            gateway_of(addresses, folder, shows_headers=False) as (running, client),
        ):
            await healthy(running, 2)
            large = "x" * 300_000
            assert {(await post(client, text=large)).status_code for _ in range(4)} == {200}
            await kill(first)
            answers = [await post(client, text=large) for _ in range(20)]
            failed = [answer for answer in answers if answer.status_code != 200]
            assert [answer.status_code for answer in failed] in ([], [503])
            assert all(answer.headers["retry-after"] == "1" for answer in failed)
            assert all(answer.json()["error"]["code"] == "service_unavailable" for answer in failed)


async def test_a_worker_that_hangs_is_left_out_until_it_answers_again() -> None:
    async with envoy.short_folder() as folder:
        addresses = [f"unix://{folder}/worker-{number}.sock" for number in (0, 1)]
        async with (
            worker(addresses[0]) as first,
            worker(addresses[1]) as second,
            gateway_of(addresses, folder) as (running, client),
        ):
            await healthy(running, 2)
            first.send_signal(signal.SIGSTOP)
            await healthy(running, 1)
            assert [(await post(client)).status_code for _ in range(10)] == [200] * 10
            first.send_signal(signal.SIGCONT)
            await healthy(running, 2)
            await kill(second)
            assert [(await post(client)).status_code for _ in range(30)] == [200] * 30


async def test_without_any_worker_clients_read_why_and_health_fails() -> None:
    async with envoy.short_folder() as folder:
        address = f"unix://{folder}/worker-0.sock"
        async with worker(address) as only, gateway_of([address], folder) as (running, client):
            await healthy(running, 1)
            assert (await client.get("/healthz")).status_code == 200
            await kill(only)
            answer = await post(client)
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "service_unavailable"
            assert str(folder) not in answer.text
            await healthy(running, 0)
            assert (await client.get("/healthz")).status_code == 503
            async with worker(address):
                await healthy(running, 1)
                assert (await client.get("/healthz")).status_code == 200
                assert (await post(client)).status_code == 200
