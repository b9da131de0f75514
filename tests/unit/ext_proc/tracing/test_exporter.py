"""Spans go out in batches, and what cannot go is counted, whatever the collector does."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb

from ext_proc.ports import EgressResponse
from ext_proc.tracing.exporter import SpanExporter
from ext_proc.tracing.queue import SpanQueue
from ext_proc.tracing.settings import TracingSettings
from ext_proc.tracing.span import Event, Kind, SpanContext, begin_span

PARENT = SpanContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
SETTINGS = TracingSettings(
    route="tracing/collector",
    path="/v1/traces",
    protocol="http/protobuf",
    timeout_seconds=3,
    interval_seconds=60,
    queue_size=4,
    batch_size=2,
    resource={"service.name": "plano"},
)
TAKEN = EgressResponse(200, {}, b"")


class Collector:
    """An egress port that leads to a collector."""

    def __init__(self, answer: EgressResponse = TAKEN) -> None:
        self.answer = answer
        self.messages: list[bytes] = []
        self.headers: Mapping[str, str] = {}
        self.has_got = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        assert (route, path, timeout_seconds) == ("tracing/collector", "/v1/traces", 3)
        self.messages.append(body)
        self.headers = headers
        self.has_got.set()
        await self.may_answer.wait()
        return self.answer


async def export(
    collector: Collector, *names: str, settings: TracingSettings = SETTINGS, until: int | None = None
) -> Counter[str]:
    """Export spans with these names, as a worker does that ends afterwards."""
    queue = SpanQueue(settings.queue_size, batch=settings.batch_size)
    outcomes: Counter[str] = Counter()

    def count(outcome: str, spans: int) -> None:
        outcomes[outcome] += spans

    for name in names:
        queue.end(begin_span(name, PARENT))
    task = asyncio.ensure_future(SpanExporter(queue, settings, collector, count).run())
    if until is None:
        await collector.has_got.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return outcomes


def spans(message: bytes) -> list[str]:
    (of_resource,) = pb.ExportTraceServiceRequest.FromString(message).resource_spans
    return [span.name for span in of_resource.scope_spans[0].spans]


async def test_batches_and_what_is_left_at_the_end() -> None:
    collector = Collector()
    assert await export(collector, "a", "b", "c") == {"sent": 3}
    assert [spans(message) for message in collector.messages] == [["a", "b"], ["c"]]


async def test_what_there_is_no_place_for_is_dropped_and_counted() -> None:
    assert await export(Collector(), *"abcdefg") == {"sent": 4, "dropped": 3}


@pytest.mark.parametrize(
    "answer",
    [
        EgressResponse(400, {}, b""),
        EgressResponse(503, {}, b"", "UF"),
        EgressResponse(504, {}, b"", "UT"),
        EgressResponse(200, {"grpc-status": "3"}, b""),
    ],
)
async def test_what_the_collector_does_not_take_is_given_up(answer: EgressResponse) -> None:
    assert await export(Collector(answer), "a", "b") == {"failed": 2}


async def test_spans_that_the_collector_rejects_are_counted_apart() -> None:
    partial = pb.ExportTraceServiceResponse(partial_success=pb.ExportTracePartialSuccess(rejected_spans=1))
    assert await export(Collector(EgressResponse(200, {}, partial.SerializeToString())), "a", "b") == {"sent": 1, "rejected": 1}


async def test_grpc_frames_its_messages() -> None:
    collector = Collector(EgressResponse(200, {"grpc-status": "0"}, b"\0\0\0\0\0"))
    assert await export(collector, "a", "b", settings=replace(SETTINGS, protocol="grpc")) == {"sent": 2}
    (message,) = collector.messages
    assert message[:5] == b"\0" + len(message[5:]).to_bytes(4, "big")
    assert spans(message[5:]) == ["a", "b"]
    assert collector.headers["content-type"] == "application/grpc"


async def test_the_export_of_spans_is_not_traced() -> None:
    collector = Collector()
    await export(collector, "a", "b")
    assert collector.headers["traceparent"].endswith("-00")


async def test_all_that_a_span_says_arrives() -> None:
    collector = Collector()
    queue = SpanQueue(1, batch=1)
    span = begin_span("chat gpt-4o", PARENT, kind=Kind.CLIENT)
    span.attributes |= {"text": "a", "whole": 7, "part": 0.5, "yes": True, "names": ("a", "b")}
    span.events.append(Event("signal.x", {"signal.type": "x"}, 5))
    span.error = "timeout"
    queue.end(span)
    task = asyncio.ensure_future(SpanExporter(queue, SETTINGS, collector, lambda *_: None).run())
    await collector.has_got.wait()
    task.cancel()
    request = pb.ExportTraceServiceRequest.FromString(collector.messages[0])
    sent = request.resource_spans[0].scope_spans[0].spans[0]
    assert (sent.trace_id.hex(), sent.parent_span_id.hex()) == (PARENT.trace_id, PARENT.span_id)
    assert (sent.name, sent.kind, sent.status.message) == ("chat gpt-4o", 3, "timeout")
    assert sent.start_time_unix_nano <= sent.end_time_unix_nano
    values = {item.key: item.value for item in sent.attributes}
    assert (values["text"].string_value, values["whole"].int_value, values["part"].double_value) == ("a", 7, 0.5)
    assert values["yes"].bool_value
    assert [item.string_value for item in values["names"].array_value.values] == ["a", "b"]
    assert (sent.events[0].name, sent.events[0].time_unix_nano) == ("signal.x", 5)
    assert request.resource_spans[0].resource.attributes[0].value.string_value == "plano"
