"""The gRPC handler of ExternalProcessor.Process: one transaction per stream; health checks beside it.

A stream ends with the reply that decides its request: Envoy expects no more replies then, and it costs less than
waiting for Envoy's reset. A reset before that means that the client has disconnected. This module has the loop, the
handling of unexpected errors, and the record; transactions know no gRPC.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from ext_proc.decide.large_body import let_others_run
from ext_proc.decide.request import Record
from ext_proc.decide.transaction import Transaction
from ext_proc.errors import InternalError, RequestError
from ext_proc.events import Event, Reply
from ext_proc.grpc_server.bidirectional_stream import BidirectionalStream, by_coroutine
from ext_proc.grpc_server.call import Call, Handler, Method
from ext_proc.grpc_server.health import Health
from ext_proc.grpc_server.http2.header_blocks import Headers
from ext_proc.grpc_server.server import GrpcServer
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.grpc_server.tasks import Tasks
from ext_proc.grpc_server.unary_call import unary
from ext_proc.server.attempt import AttemptProcessor
from ext_proc.server.continuation import AnswerProcessor
from ext_proc.server.provider_errors import ErrorProcessor
from ext_proc.server.respond import RespondProcessor
from ext_proc.signals.analysis import analyse
from ext_proc.telemetry.metrics import Metrics
from ext_proc.telemetry.spans import describe_decision, describe_signals
from ext_proc.telemetry.tracer import Tracer
from ext_proc.tracing.span import Span
from ext_proc.wire.attempt import decode_plain_answer
from ext_proc.wire.common import UnexpectedMessage, UnreadableMessage, decode_request, find_path
from ext_proc.wire.decide import decode, encode, encode_respond
from process_log import get_logger
from protos.contract.headers import TRACEPARENT_HEADER
from protos.contract.stages import (
    LISTENER_METADATA,
    STAGE_ANSWERS,
    STAGE_ATTEMPT,
    STAGE_DECIDE_BODY,
    STAGE_ERRORS,
    STAGE_METADATA,
    STAGE_RESPOND,
)

SERVICE: Final = "envoy.service.ext_proc.v3.ExternalProcessor"
_BEYOND_BODY_BYTES: Final = 128 << 20
"""Additional size of a message over a request's body: Envoy's decompressors emit the output of 1 MiB of input at once, up to a
hundred times as much. Such a body is rejected in the client's API."""

METHOD: Final = f"/{SERVICE}/Process"

SessionFactory = Callable[[str, str], Transaction]
"""From the name of a listener and the context of what is traced; empty if nothing is."""


class ExternalProcessor:
    """Serves the streams of Envoy's http_filter."""

    def __init__(
        self,
        new_session: SessionFactory,
        metrics: Metrics,
        attempts: AttemptProcessor | None = None,
        errors: ErrorProcessor | None = None,
        respond: RespondProcessor | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer or Tracer(metrics.traces.count)
        self._errors = errors
        self._attempts = attempts
        self._respond = respond
        self._new_session = new_session
        self._metrics = metrics
        self._log = get_logger()

    def method(self, tasks: Tasks) -> Method:
        """Return the gRPC method Process, which selects the stage by the http_filter's metadata."""
        decide = by_coroutine(self.process, tasks)
        by_stage = {STAGE_DECIDE_BODY: unary(self.process_whole, tasks)}
        if self._attempts is not None:
            by_stage[STAGE_ATTEMPT] = self._attempts.method()
            by_stage[STAGE_ANSWERS] = self._attempts.method(decode_plain_answer)
        if self._respond is not None:
            by_stage[STAGE_RESPOND] = by_coroutine(self._respond.process, tasks)
        if self._errors is not None:
            by_stage[STAGE_ERRORS] = self._errors.method()

        def process(call: Call) -> Handler:
            return by_stage.get(call.metadata.get(STAGE_METADATA, ""), decide)(call)

        return process

    async def process_whole(self, message: bytes, metadata: Headers) -> bytes:
        """Serve a transaction of one message."""
        transaction, span = self._begin(metadata)
        in_flight = self._metrics.in_flight(transaction.record.listener)
        in_flight.inc()
        started = time.perf_counter()
        try:
            return await self._answer(transaction, message)
        except UnreadableMessage:
            return encode_respond(transaction.refuse(_not_utf8(), find_path(message)))
        except UnexpectedMessage as unexpected:
            raise self._refusal(transaction, unexpected) from None
        finally:
            in_flight.dec()
            self._finish(transaction, span, time.perf_counter() - started)

    async def process(self, call: BidirectionalStream) -> None:
        """Serve one stream, which is one HTTP transaction."""
        transaction, span = self._begin(call.metadata)
        in_flight = self._metrics.in_flight(transaction.record.listener)
        in_flight.inc()
        spent = 0.0
        try:
            while not transaction.is_decided:
                message = await call.read()
                if message is None:
                    return
                # The time between two messages is the client's upload.
                started = time.perf_counter()
                try:
                    answer = await self._answer(transaction, message)
                finally:  # a client that disconnects cancels a decision
                    spent += time.perf_counter() - started
                await call.write(answer)
        except UnexpectedMessage as unexpected:
            raise self._refusal(transaction, unexpected) from None
        finally:
            # Recorded here, because Envoy may reset the stream before the last write returns.
            in_flight.dec()
            self._finish(transaction, span, spent)

    def _begin(self, metadata: Headers) -> tuple[Transaction, Span | None]:
        # Only set if Envoy traces the request.
        traceparent = metadata.get(TRACEPARENT_HEADER, "")
        span = self._tracer.begin("decide", traceparent) if traceparent else None
        return self._new_session(metadata.get(LISTENER_METADATA, ""), span.context.traceparent if span else traceparent), span

    async def _answer(self, transaction: Transaction, message: bytes) -> bytes:
        event = decode(decode_request(message))
        await let_others_run(message)
        reply = await self._handle(transaction, event)
        await let_others_run(message)
        answer = encode(event, reply)
        await let_others_run(answer)
        return answer

    async def _handle(self, transaction: Transaction, event: Event) -> Reply:
        try:
            return await transaction.handle(event)
        except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an answer
            self._metrics.count_error(transaction.record.listener, "internal")
            self._log.exception("session_failed", error=error, listener=transaction.record.listener)
            return transaction.refuse(InternalError("The gateway failed to handle the request."))

    def _conclude(self, transaction: Transaction, span: Span | None) -> None:
        """Analyse the signals of the conversation for metrics and for the span, which ends here."""
        if rows := transaction.rows():
            report = analyse(rows)
            self._metrics.signals.record(transaction.record, report)
            if span is not None:
                describe_signals(span, report, captures_content=self._tracer.captures_content)
        if span is not None:
            self._tracer.end(span, transaction.headers)

    def _refusal(self, transaction: Transaction, unexpected: UnexpectedMessage) -> Abort:
        self._metrics.count_error(transaction.record.listener, "unexpected_message")
        self._log.error("message_unexpected", listener=transaction.record.listener, phase=str(unexpected))
        return Abort(Status.INVALID_ARGUMENT, f"unexpected {unexpected}")

    def _finish(self, transaction: Transaction, span: Span | None, seconds: float) -> None:
        record = transaction.record
        if span is not None:
            describe_decision(span, record)
            span.ended = time.time_ns()
        # After the reply was sent.
        asyncio.get_running_loop().call_soon(self._conclude, transaction, span)
        outcome = _outcome(transaction)
        self._metrics.record(record, outcome, seconds)
        code, detail = (record.error.code, record.error.detail) if record.error else (None, "")
        self._log.info(
            "request_decided" if transaction.is_decided else "request_cancelled",
            request_id=record.request_id,
            listener=record.listener,
            caller=record.caller,
            api=record.api,
            agent=record.agent,
            model=record.model,
            route=record.route,
            rung=record.rung,
            reason=record.reason,
            duration_ms=round(seconds * 1000, 3),
            outcome=outcome,
            status=record.status,
            code=code,
            detail=detail,
            **_refused(record),
        )


class Server:
    """A gRPC server on one address, with a health service for Envoy."""

    def __init__(self, processor: ExternalProcessor, answers: AnswerProcessor | None = None) -> None:
        self._health = Health(("", SERVICE))
        tasks = Tasks()
        methods = {METHOD: processor.method(tasks), **self._health.methods}
        self._server = GrpcServer(methods, tasks, *([answers.serves] if answers is not None else []))

    @property
    def is_listening(self) -> bool:
        """Whether it was started."""
        return self._server.is_listening

    def has_predecessor(self, address: str) -> bool:
        """Whether another process may serve at a Unix socket, which `start` will take over."""
        return self._server.has_predecessor(address)

    async def succeeded(self) -> None:
        """Wait until another process has taken over the Unix socket, or removed it. At once if it listens on no such socket."""
        await self._server.succeeded()

    async def start(self, address: str) -> int:
        """Listen at `host:port` or `unix:path`; return the port. Not serving until `set_serving`."""
        return await self._server.start(address)

    def limit_requests(self, max_bytes: int) -> None:
        """Limit messages to the size that Envoy may send for a request's body."""
        self._server.limit.max_bytes = max_bytes + _BEYOND_BODY_BYTES

    def set_serving(self, is_serving: bool) -> None:
        """Set the health status."""
        self._health.set_serving(is_serving)

    async def drain(self, grace_seconds: float) -> None:
        """Finish active calls, accept no new ones, and stop."""
        self._health.end()
        await self._server.drain(grace_seconds)


def _refused(record: Record) -> dict[str, str]:
    """Return the log fields of a request whose budget prevented a change of model."""
    if not record.refused_model:
        return {}
    return {"refused_model": record.refused_model, "refused_route": record.refused_route}


def _not_utf8() -> RequestError:
    return RequestError("The path or a header of the request is not UTF-8.", code="invalid_header")


def _outcome(transaction: Transaction) -> str:
    if not transaction.is_decided:
        return "cancelled"
    return f"{transaction.record.status // 100}xx" if transaction.record.status else "forwarded"
