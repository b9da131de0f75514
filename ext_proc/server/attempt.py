"""The gRPC side of the attempt stage: one stream is one attempt. Envoy resets it to abandon the attempt."""

from collections.abc import Callable

from ext_proc.attempt.events import AttemptEvent, AttemptHeaders, AttemptReply, AttemptRequest, ResponseBody
from ext_proc.attempt.transaction import AttemptTransaction
from ext_proc.decide.session_usage import SessionUsage
from ext_proc.grpc_server.call import Call, Method
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.telemetry.attempt_metrics import AttemptMetrics
from ext_proc.telemetry.spans import describe_attempt
from ext_proc.telemetry.tracer import Tracer
from ext_proc.tracing.span import Kind, Span
from ext_proc.wire.attempt import decode_attempt, encode_attempt
from ext_proc.wire.common import UnexpectedMessage, decode_request
from process_log import get_logger
from protos import ext_proc_pb2 as pb
from protos.contract.headers import TRACEPARENT_HEADER


class AttemptProcessor:
    """Serves the streams of the upstream http_filter."""

    def __init__(
        self,
        new_session: Callable[[], AttemptTransaction],
        metrics: AttemptMetrics,
        usage: SessionUsage | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer
        self._new_session = new_session
        self._usage = usage
        self._metrics = metrics
        self._log = get_logger()

    def method(self, decode: Callable[[pb.ProcessingRequest], AttemptEvent] = decode_attempt) -> Method:
        """Return the gRPC method, whose messages are read by `decode`."""
        return lambda call: _Attempt(call, self, self._new_session(), decode)

    def decode(self, message: bytes, decode: Callable[[pb.ProcessingRequest], AttemptEvent]) -> AttemptEvent:
        """Return the event of a message.

        Raises:
            Abort: it has no known phase.
        """
        try:
            return decode(decode_request(message))
        except UnexpectedMessage as unexpected:
            self._metrics.count_error("unexpected_message")
            self._log.error("message_unexpected", stage="attempt", phase=str(unexpected))
            raise Abort(Status.INVALID_ARGUMENT, f"unexpected {unexpected}") from None

    def answer(self, transaction: AttemptTransaction, event: AttemptEvent) -> list[bytes]:
        """Answer an event."""
        return encode_attempt(event, self._handle(transaction, event))

    def begin(self, event: AttemptHeaders) -> Span | None:
        """Begin the span of an attempt as a child of Envoy's, if that is traced."""
        return self._tracer.begin("attempt", event.headers.get(TRACEPARENT_HEADER), Kind.CLIENT) if self._tracer else None

    def finish(self, transaction: AttemptTransaction, span: Span | None) -> None:
        """Record a finished attempt."""
        record = transaction.record
        if span is not None and self._tracer is not None and record.model:
            describe_attempt(span, record)
            self._tracer.end(span)
        if not record.model:
            return
        self._metrics.record(record)
        if self._usage is not None:
            self._usage.note(record)
        if record.failed_over_from:
            self._log.warning(
                "failed_over",
                request_id=record.request_id,
                from_model=record.failed_over_from,
                to_model=record.model,
                reason=record.failed_over_for,
            )
        if record.warnings:
            self._log.warning(
                "request_reduced",
                request_id=record.request_id,
                model=record.model,
                api=record.api,
                left_out=record.warnings[:10],
            )
        if record.own_fault:
            self._log.error(
                "provider_misconfigured",
                request_id=record.request_id,
                model=record.model,
                provider=record.provider,
                fault=record.own_fault,
                status=record.status,
            )
        if record.came:
            self._log.warning("answer_unreadable", request_id=record.request_id, model=record.model, came=record.came)
        self._log.info(
            "attempt_finished",
            request_id=record.request_id,
            attempt=record.number,
            model=record.model,
            api=record.api,
            client_api=record.client_api,
            outcome=record.outcome,
            status=record.status,
            first_token_ms=None if record.first_token_seconds is None else round(record.first_token_seconds * 1000, 1),
            input_tokens=record.usage.input_tokens,
            output_tokens=record.usage.output_tokens,
        )

    def _handle(self, transaction: AttemptTransaction, event: AttemptEvent) -> list[AttemptReply]:
        try:
            return transaction.handle(event)
        except Exception as error:  # noqa: BLE001 - bugs become answers only here
            self._metrics.count_error("internal")
            self._log.exception("attempt_failed", error=error, request_id=transaction.record.request_id)
            return transaction.give_up()


class _Attempt:
    """One call. It never waits, so it needs no task.

    Chunks that arrive together are answered together, which lowers their cost under load.
    """

    def __init__(
        self,
        call: Call,
        processor: AttemptProcessor,
        transaction: AttemptTransaction,
        decode: Callable[[pb.ProcessingRequest], AttemptEvent],
    ) -> None:
        self._call = call
        self._decode = decode
        self._processor = processor
        self._session = transaction
        self._chunks: list[ResponseBody] = []
        self._span: Span | None = None

    def receive(self, message: bytes) -> None:
        """Answer a message."""
        event = self._processor.decode(message, self._decode)
        if not isinstance(event, ResponseBody) or not self._session.joins_chunks:
            if isinstance(event, AttemptRequest):
                self._span = self._processor.begin(event.head)
            self._answer_chunks()
            self._answer(event)
            return
        if not self._chunks:
            self._call.after_read(self._answer_chunks)
        self._chunks.append(event)

    def end(self) -> None:
        """Envoy gives the attempt up."""
        self._answer_chunks()
        if not self._session.is_done:
            self._call.finish()
            self._processor.finish(self._session, self._span)

    def cancel(self) -> None:
        """Envoy gives the attempt up."""
        self._answer_chunks()
        if not self._session.is_done:
            self._processor.finish(self._session, self._span)

    def resume(self) -> None:
        """Answers wait in the connection; meanwhile its window bounds the input."""

    def _answer_chunks(self) -> None:
        if not self._chunks:
            return
        chunks, self._chunks = self._chunks, []
        data = chunks[0].data if len(chunks) == 1 else b"".join(chunk.data for chunk in chunks)
        self._answer(ResponseBody(data, chunks[-1].ends_stream))

    def _answer(self, event: AttemptEvent) -> None:
        if self._session.is_done:
            return
        for reply in self._processor.answer(self._session, event):
            self._call.send(reply)
        if self._session.is_done:
            self._call.finish()
            self._processor.finish(self._session, self._span)
