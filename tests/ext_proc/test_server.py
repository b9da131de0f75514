"""Real gRPC round trips with a worker: what Envoy would see."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import orjson
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from ext_proc.app import Worker, WorkerSettings
from ext_proc.telemetry import names
from ext_proc.telemetry.metrics import Metrics
from protos import ext_proc_pb2 as pb
from tests.kit.envoy import short_folder
from tests.kit.ext_proc_client import ExtProcClient, body_message, connected, headers_message
from tests.kit.filter_configs import filter_config

CHAT = b'{"messages":[{"role":"user","content":"hello"}],"model":"fast"}'


class Running:
    """A worker, its client and its metrics."""

    def __init__(self, worker: Worker, client: ExtProcClient, registry: CollectorRegistry) -> None:
        self.worker = worker
        self.client = client
        self.registry = registry

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    async def becomes_healthy(self) -> None:
        watch = health_pb2_grpc.HealthStub(self.client.channel).Watch(health_pb2.HealthCheckRequest())
        async for answer in watch:
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                watch.cancel()
                return

    async def health(self) -> int:
        stub = health_pb2_grpc.HealthStub(self.client.channel)
        return int((await stub.Check(health_pb2.HealthCheckRequest())).status)


async def until(is_true: Callable[[], bool]) -> None:
    """Give other tasks turns until something holds; the test's own timeout bounds it."""
    while not is_true():  # noqa: ASYNC110 - nothing announces that a server has noticed a cancelled call
        await asyncio.sleep(0.001)


@asynccontextmanager
async def running(*, is_configured: bool = True) -> AsyncIterator[Running]:
    registry = CollectorRegistry()
    async with short_folder() as folder:
        address = f"unix:{folder}/worker.sock"
        settings = WorkerSettings(number=0, xds=f"unix:{folder}/nowhere.sock", listen=address, grace_seconds=5)
        worker, stop = Worker(settings, Metrics(registry)), asyncio.Event()
        if is_configured:
            worker.apply(filter_config())
        async with asyncio.TaskGroup() as tasks, connected(address) as client:
            tasks.create_task(worker.run(stop))
            await client.channel.channel_ready()
            try:
                yield Running(worker, client, registry)
            finally:
                stop.set()


@pytest.fixture
async def it() -> AsyncIterator[Running]:
    async with asyncio.timeout(30), running() as started:
        yield started


async def test_decides_a_request(it: Running) -> None:
    first, second = await it.client.exchange("models", headers_message(), body_message(CHAT))
    assert first.WhichOneof("response") == "request_headers"
    common = second.request_body.response
    headers = {option.header.key: option.header.raw_value for option in common.header_mutation.set_headers}
    assert headers["x-plano-route"] == b"model/openai/gpt-4o-mini"
    assert headers["content-length"] == str(len(common.body_mutation.body)).encode()
    assert common.clear_route_cache
    assert {option.append_action for option in common.header_mutation.set_headers} == {2}
    assert orjson.loads(common.body_mutation.body)["model"] == "gpt-4o-mini"
    fields = second.dynamic_metadata.fields["plano"].struct_value.fields
    assert fields["model"].string_value == "openai/gpt-4o-mini"
    await until(lambda: it.metric(names.REQUESTS, listener="models", api="chat_completions", outcome="forwarded") == 1)
    assert it.metric(names.MODEL_REQUESTS, listener="models", model="openai/gpt-4o-mini") == 1


async def test_refuses_a_request(it: Running) -> None:
    _, refusal = await it.client.exchange("models", headers_message(), body_message(b"{"))
    immediate = refusal.immediate_response
    assert (immediate.status.code, immediate.details) == (400, "plano_invalid_json")
    assert orjson.loads(immediate.body)["error"]["type"] == "invalid_request_error"
    await until(lambda: it.metric(names.REQUESTS, listener="models", api="chat_completions", outcome="4xx") == 1)


async def test_carries_bodies_far_beyond_grpcs_own_limit(it: Running) -> None:
    content = "x" * 30_000_000
    body = orjson.dumps({"messages": [{"role": "user", "content": content}], "model": "fast"})
    _, answer = await it.client.exchange("models", headers_message(), body_message(body))
    assert len(answer.request_body.response.body_mutation.body) == len(body) + len("gpt-4o-mini") - len("fast")


async def test_many_streams_at_once(it: Running) -> None:
    every = await asyncio.gather(*(it.client.exchange("models", headers_message(), body_message(CHAT)) for _ in range(200)))
    assert all(len(answers) == 2 for answers in every)
    assert it.metric(names.REQUESTS, listener="models", api="chat_completions", outcome="forwarded") == 200
    assert it.metric(names.REQUESTS_IN_FLIGHT, listener="models") == 0


@pytest.mark.parametrize(
    "message",
    [pb.ProcessingRequest(), pb.ProcessingRequest(response_headers=pb.HttpHeaders()), pb.ProcessingRequest(response_body={})],
)
async def test_a_message_of_another_phase_ends_the_stream(it: Running, message: pb.ProcessingRequest) -> None:
    call = it.client.stream("models")
    await call.write(message)
    assert await call.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert it.metric(names.ERRORS, listener="models", kind="unexpected_message") == 1


async def test_a_body_without_headers_is_answered(it: Running) -> None:
    [answer] = await it.client.exchange("models", body_message(CHAT))
    assert answer.immediate_response.status.code == 500


async def test_trailers_before_the_body_do_not_hang(it: Running) -> None:
    trailers = pb.ProcessingRequest(request_trailers=pb.HttpTrailers())
    answers = await it.client.exchange("models", headers_message(), trailers, body_message(CHAT))
    assert [answer.WhichOneof("response") for answer in answers] == ["request_headers", "request_trailers", "request_body"]


async def test_a_client_that_goes_away_is_counted_and_forgotten(it: Running) -> None:
    call = it.client.stream("models")
    await call.write(headers_message())
    await call.read()
    assert it.metric(names.REQUESTS_IN_FLIGHT, listener="models") == 1
    call.cancel()
    await until(lambda: it.metric(names.REQUESTS_IN_FLIGHT, listener="models") == 0)
    assert it.metric(names.REQUESTS, listener="models", api="chat_completions", outcome="cancelled") == 1


async def test_the_time_of_a_cancelled_decision_counts(it: Running) -> None:
    async with short_folder() as folder:
        with socket.socket(socket.AF_UNIX) as silent:  # takes connections and answers none
            silent.bind(f"{folder}/egress.sock")
            silent.listen()
            it.worker.apply(filter_config("v2", egress_url=f"unix://{folder}/egress.sock"))
            call = it.client.stream("solo")
            await call.write(headers_message())
            await call.read()
            await call.write(body_message(CHAT))
            began = time.perf_counter()
            await until(lambda: time.perf_counter() > began + 0.2)
            call.cancel()
            await until(lambda: it.metric(names.REQUESTS_IN_FLIGHT, listener="solo") == 0)
    seconds = it.metric(f"{names.REQUEST_DURATION}_sum", listener="solo")
    assert seconds is not None
    assert seconds > 0.1


async def test_a_stream_that_ends_without_a_body_ends(it: Running) -> None:
    call = it.client.stream("models")
    await call.write(headers_message())
    await call.read()
    await call.done_writing()
    assert await call.code() == grpc.StatusCode.OK


async def test_a_message_longer_than_a_request_may_be_is_refused(it: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ext_proc.server.processor._BEYOND_BODY_BYTES", 1 << 20)
    config = filter_config("v2")
    config.max_request_bytes = 1000
    it.worker.apply(config)
    call = it.client.stream("models")
    await call.write(headers_message())
    await call.read()
    await call.write(body_message(b" " * (3 << 20)))
    assert await call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_bug_is_a_500_that_shows_nothing(it: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: bytes) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("ext_proc.decide.transaction.read_object", fail)
    _, answer = await it.client.exchange("models", headers_message(), body_message(CHAT))
    assert answer.immediate_response.status.code == 500
    assert b"secret" not in answer.immediate_response.body
    assert it.metric(names.ERRORS, listener="models", kind="internal") == 1


async def test_is_healthy_once_configured_and_swaps_configurations() -> None:
    async with asyncio.timeout(30), running(is_configured=False) as it:
        assert await it.health() == health_pb2.HealthCheckResponse.NOT_SERVING
        [answer] = await it.client.exchange("models", headers_message())
        assert answer.immediate_response.status.code == 503
        it.worker.apply(filter_config())
        await it.becomes_healthy()
        call = it.client.stream("models")
        await call.write(headers_message())
        await call.read()
        changed = filter_config("v2")
        changed.aliases[0].model = "openai/gpt-4o"
        it.worker.apply(changed)
        await call.write(body_message(CHAT))
        begun_before = await call.read()
        _, begun_after = await it.client.exchange("models", headers_message(), body_message(CHAT))
    assert b'"gpt-4o-mini"' in begun_before.request_body.response.body_mutation.body
    assert b'"gpt-4o"' in begun_after.request_body.response.body_mutation.body


async def test_draining_lets_requests_in_flight_finish() -> None:
    async with asyncio.timeout(30):
        async with running() as it:
            call = it.client.stream("models")
            await call.write(headers_message())
            await call.read()
            draining = asyncio.gather(it.worker.server.drain(5))
            await asyncio.sleep(0)
            await call.write(body_message(CHAT))
            answer = await call.read()
            await draining
    assert answer.request_body.response.clear_route_cache
