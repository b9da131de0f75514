"""The attempt stage over gRPC: a real worker's server, Envoy's messages, and what is counted and logged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import orjson
import pytest
from prometheus_client import CollectorRegistry

from ext_proc.attempt.history import AttemptHistory
from ext_proc.attempt.transaction import AttemptTransaction
from ext_proc.decide.transaction import Transaction
from ext_proc.grpc_server.http2 import codes, frames
from ext_proc.grpc_server.http2.codes import ErrorCode
from ext_proc.grpc_server.http2.header_blocks import encode_block
from ext_proc.grpc_server.messages import MessageReader, frame_message
from ext_proc.plan.plan import compile_plan
from ext_proc.server.attempt import AttemptProcessor
from ext_proc.server.processor import METHOD, ExternalProcessor, Server
from ext_proc.telemetry import names
from ext_proc.telemetry.metrics import Metrics
from protos import ext_proc_pb2 as pb
from protos import ext_proc_pb2_grpc
from protos.contract.headers import ATTEMPT_TIMES_HEADER, METADATA_HEADER, MODEL_HEADER
from protos.contract.metadata import METADATA_API, METADATA_HISTORY, METADATA_NAMESPACE, METADATA_ROUTE, METADATA_STREAM
from protos.contract.stages import ATTRIBUTES_NAMESPACE, STAGE_ATTEMPT, STAGE_METADATA, header_attribute
from tests.kit.attempts import CHAT_REQUEST, CLAUDE, GPT, MESSAGE_ANSWER, chain_config
from tests.kit.http2_peer import BEGINNING, GRPC_HEADERS, frames_of
from tests.kit.llm_streams import Answer, message_stream

STREAM = message_stream(Answer(thoughts=[], signature="", texts=["Hi"], calls=[], cut=0, finish="stop", usage=(7, 2, 1, 3, 1)))


def attempt_server(registry: CollectorRegistry, session: Any = None) -> Server:
    metrics, plan = Metrics(registry), compile_plan(chain_config())
    attempts = AttemptProcessor(session or (lambda: AttemptTransaction(plan)), metrics.attempts)
    return Server(ExternalProcessor(lambda listener, _: Transaction(listener, None), metrics, attempts))


@asynccontextmanager
async def worker(registry: CollectorRegistry, session: Any = None) -> AsyncIterator[Any]:
    server = attempt_server(registry, session)
    port = await server.start("127.0.0.1:0")
    async with asyncio.timeout(20), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield ext_proc_pb2_grpc.ExternalProcessorStub(channel)  # type: ignore[no-untyped-call]
    await server.drain(1)


def asked(model: str = CLAUDE, *, attempted: str = "", failure: str = "") -> pb.ProcessingRequest:
    body = pb.HttpBody(body=orjson.dumps(CHAT_REQUEST), end_of_stream=True)
    message = pb.ProcessingRequest(request_body=body)
    told = {METADATA_API: "chat_completions", METADATA_ROUTE: f"chain/{model}(chat_completions)", METADATA_STREAM: "true"}
    times = "- 1700000000.000"
    if attempted:
        told[METADATA_HISTORY] = AttemptHistory(attempted=(attempted,), failure=failure).dump()
        times += " 1700000000.100"
    headers = {"x-request-id": "r-1", METADATA_HEADER: orjson.dumps(told).decode(), ATTEMPT_TIMES_HEADER: times}
    attributes = message.attributes[ATTRIBUTES_NAMESPACE].fields
    for name, value in headers.items():
        attributes[header_attribute(name)].string_value = value
    return message


def response_head(status: str, content_type: str) -> pb.ProcessingRequest:
    message = pb.ProcessingRequest(response_headers=pb.HttpHeaders(headers=pb.HeaderMap()))
    for key, value in ((":status", status), ("content-type", content_type)):
        message.response_headers.headers.headers.add(key=key, raw_value=value.encode())
    return message


def response_body(data: bytes, *, ends: bool) -> pb.ProcessingRequest:
    return pb.ProcessingRequest(response_body=pb.HttpBody(body=data, end_of_stream=ends))


async def begin(stub: Any, first: pb.ProcessingRequest) -> tuple[Any, pb.ProcessingResponse]:
    call = stub.Process(metadata=((STAGE_METADATA, STAGE_ATTEMPT),))
    await call.write(first)
    return call, await call.read()


async def replies(call: Any) -> list[pb.ProcessingResponse]:
    found = []
    while (reply := await call.read()) is not grpc.aio.EOF:  # type: ignore[attr-defined]
        found.append(reply)
    return found


async def test_an_attempt_is_translated_counted_and_told() -> None:
    registry = CollectorRegistry()
    async with worker(registry) as stub:
        call, sent = await begin(stub, asked(GPT, attempted=GPT, failure="rate_limited"))
        assert orjson.loads(sent.request_body.response.body_mutation.body)["model"] == "claude-sonnet-4-0"
        told = sent.dynamic_metadata.fields[METADATA_NAMESPACE].struct_value.fields
        assert {key: told[key].string_value for key in ("path", "route", "anthropic_version")} == {
            "path": "/v1/messages",
            "route": f"failover/target/{CLAUDE}",
            "anthropic_version": "2023-06-01",
        }
        await call.write(response_head("200", "text/event-stream"))
        await call.write(response_body(STREAM[:50], ends=False))
        await call.write(response_body(STREAM[50:], ends=False))
        await call.write(response_body(b"", ends=True))
        first, *pieces = await replies(call)
    changed = first.response_headers.response.header_mutation
    assert "content-length" in changed.remove_headers
    assert {option.header.key: option.header.raw_value for option in changed.set_headers}[MODEL_HEADER] == CLAUDE.encode()
    streamed = [piece.response_body.response.body_mutation.streamed_response for piece in pieces]
    assert [piece.end_of_stream for piece in streamed] == [False] * (len(streamed) - 1) + [True]
    assert b"".join(piece.body for piece in streamed).endswith(b"data: [DONE]\n\n")
    value = registry.get_sample_value
    assert value(names.ATTEMPTS, {"model": CLAUDE, "outcome": "completed"}) == 1
    assert value(names.FAILOVERS, {"from": GPT, "to": CLAUDE, "reason": "rate_limited"}) == 1
    assert value(names.LLM_TOKENS, {"model": CLAUDE, "kind": "input"}) == 10
    assert value(names.LLM_TOKENS, {"model": CLAUDE, "kind": "output"}) == 4
    assert value(names.LLM_TOKENS, {"model": CLAUDE, "kind": "cached_input"}) == 2
    assert value(names.TIME_TO_FIRST_TOKEN + "_count", {"model": CLAUDE}) == 1


async def test_an_attempt_that_envoy_gives_up_is_unanswered_and_no_completion() -> None:
    registry = CollectorRegistry()
    async with worker(registry) as stub:
        call, _ = await begin(stub, asked())
        await call.write(response_head("200", "text/event-stream"))
        await call.done_writing()
        assert await replies(call) == []
    assert registry.get_sample_value(names.ATTEMPTS, {"model": CLAUDE, "outcome": "unanswered"}) == 1
    assert registry.get_sample_value(names.LLM_TOKENS, {"model": CLAUDE, "kind": "input"}) is None


async def test_pieces_that_come_together_are_answered_together() -> None:
    registry = CollectorRegistry()
    server = attempt_server(registry)
    port = await server.start("127.0.0.1:0")
    chunks = [response_body(STREAM[begin : begin + 20], ends=False) for begin in range(0, len(STREAM), 20)]
    messages = [asked(), response_head("200", "text/event-stream"), *chunks, response_body(b"", ends=True)]
    body = b"".join(frame_message(message.SerializeToString()) for message in messages)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = {**dict(GRPC_HEADERS), ":path": METHOD, STAGE_METADATA: STAGE_ATTEMPT}
    begins = frames.frame(codes.HEADERS, codes.END_HEADERS, 1, encode_block(headers.items()))
    writer.write(BEGINNING + begins + frames.frame(codes.DATA, 0, 1, body))
    async with asyncio.timeout(10):
        sent = b""
        while frames.rst_stream(1, ErrorCode.NO_ERROR) not in sent:
            sent += await reader.read(1 << 16)
    writer.close()
    await server.drain(1)
    data = b"".join(payload for kind, _, _, payload in frames_of(sent) if kind == codes.DATA)
    answers = [pb.ProcessingResponse.FromString(message) for message in MessageReader().feed(data)]
    phases = [answer.WhichOneof("response") for answer in answers]
    assert phases == ["request_body", "response_headers", "response_body"]
    assert answers[-1].response_body.response.body_mutation.streamed_response.body.endswith(b"data: [DONE]\n\n")
    assert registry.get_sample_value(names.ATTEMPTS, {"model": CLAUDE, "outcome": "completed"}) == 1


async def test_trailers_end_the_answer() -> None:
    async with worker(CollectorRegistry()) as stub:
        call, _ = await begin(stub, asked())
        await call.write(response_head("200", "application/json"))
        await call.write(response_body(orjson.dumps(MESSAGE_ANSWER), ends=False))
        await call.write(pb.ProcessingRequest(response_trailers=pb.HttpTrailers()))
        phases = [reply.WhichOneof("response") for reply in await replies(call)]
    assert phases == ["response_headers", "response_body", "response_trailers"]


async def test_a_bug_is_an_error_to_the_client_and_counted() -> None:
    class Broken(AttemptTransaction):
        def _send(self, body: bytes) -> Any:
            raise RuntimeError("a bug")

    registry = CollectorRegistry()
    plan = compile_plan(chain_config())
    async with worker(registry, lambda: Broken(plan)) as stub:
        _, reply = await begin(stub, asked())
    assert reply.immediate_response.status.code == 500
    assert registry.get_sample_value(names.ERRORS, {"listener": "", "kind": "internal"}) == 1


async def test_a_message_of_no_phase_is_a_disagreement() -> None:
    registry = CollectorRegistry()
    async with worker(registry) as stub:
        call = stub.Process(metadata=((STAGE_METADATA, STAGE_ATTEMPT),))
        await call.write(pb.ProcessingRequest())
        with pytest.raises(grpc.aio.AioRpcError):
            await replies(call)
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert registry.get_sample_value(names.ERRORS, {"listener": "", "kind": "unexpected_message"}) == 1
