"""The gRPC side of continued streams: one gRPC stream is one request, answered in chunks. A reset cancels it."""

from collections.abc import Callable
from dataclasses import replace

from ext_proc.continuation.ports import CutOff
from ext_proc.continuation.transaction import ResumableAnswer, StreamRequest
from ext_proc.grpc_server.bidirectional_stream import BidirectionalStream
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.orchestration.answer import OrchestratedAnswer
from ext_proc.telemetry.attempt_metrics import AttemptMetrics
from ext_proc.telemetry.continuation_metrics import ContinuationMetrics
from ext_proc.telemetry.spans import describe_stream
from ext_proc.telemetry.tracer import Tracer
from ext_proc.tracing.span import Span
from ext_proc.wire.common import UnexpectedMessage, decode_request
from ext_proc.wire.continuation import StreamRequestReader, encode_part
from process_log import get_logger
from protos.contract.headers import REQUEST_ID_HEADER, TRACEPARENT_HEADER


class ContinueProcessor:
    """Serves the streams of the http_filter `plano.continue`."""

    def __init__(
        self,
        new_answer: Callable[[StreamRequest], ResumableAnswer | OrchestratedAnswer],
        metrics: ContinuationMetrics,
        attempts: AttemptMetrics,
        tracer: Tracer | None = None,
    ) -> None:
        self._tracer = tracer
        self._new_answer = new_answer
        self._metrics = metrics
        self._attempts = attempts
        self._log = get_logger()

    async def process(self, call: BidirectionalStream) -> None:
        """Serve one request."""
        try:
            request = await _read(call)
        except UnexpectedMessage as unexpected:
            self._metrics.count_error("unexpected_message")
            self._log.error("message_unexpected", stage="continue", phase=str(unexpected))
            raise Abort(Status.INVALID_ARGUMENT, f"unexpected {unexpected}") from None
        if request is not None:
            span, request = self._trace(request, call.metadata.get(TRACEPARENT_HEADER, ""))
            await self._answer(request, call, span)

    def _trace(self, request: StreamRequest, traceparent: str) -> tuple[Span | None, StreamRequest]:
        """Have the upstream streams belong to what Envoy traces, if it does."""
        if not traceparent:
            return None, request
        span = self._tracer.begin("answer stream", traceparent) if self._tracer else None
        carried = span.context.traceparent if span else traceparent
        return span, replace(request, headers={**request.headers, TRACEPARENT_HEADER: carried})

    async def _answer(self, request: StreamRequest, call: BidirectionalStream, span: Span | None) -> None:
        answer = self._new_answer(request)
        try:
            await answer.give(lambda part: call.write(encode_part(part)))
            await call.write(encode_part(b"", ends_stream=True))
        except CutOff:
            # Envoy then resets the client's stream, which tells that the answer is not whole.
            raise Abort(Status.UNAVAILABLE, "cut off") from None
        except Exception as error:
            self._metrics.count_error("internal")
            self._log.exception("continuation_failed", error=error, request_id=_request_id(request))
            raise
        finally:
            if isinstance(answer, ResumableAnswer):
                self._finish(answer, request)
            else:
                self._finish_parts(answer, request)
            if span is not None and self._tracer is not None:
                describe_stream(span, answer.resumptions if isinstance(answer, ResumableAnswer) else (), _request_id(request))
                self._tracer.end(span, request.headers)

    def _finish_parts(self, answer: OrchestratedAnswer, request: StreamRequest) -> None:
        for part in answer.parts:
            outcome = "completed" if part.is_complete else "cut_off"
            self._metrics.count_part(part.agent, outcome)
            self._log.info(
                "agent_part_finished",
                request_id=_request_id(request),
                agent=part.agent,
                outcome=outcome,
                stop=part.stop,
                input_tokens=part.usage.input_tokens,
                output_tokens=part.usage.output_tokens,
            )
        for failure in answer.failures:
            self._log.warning("agent_failed", request_id=_request_id(request), reason=str(failure), status=failure.error.status)

    def _finish(self, answer: ResumableAnswer, request: StreamRequest) -> None:
        for heard in answer.heard:
            self._attempts.record(heard)
            self._log.info(
                "stream_finished",
                request_id=_request_id(request),
                model=heard.model,
                outcome=heard.outcome,
                input_tokens=heard.usage.input_tokens,
                output_tokens=heard.usage.output_tokens,
            )
        for resumptions in answer.resumptions:
            self._metrics.record(resumptions)
            self._log.warning(
                "stream_continued",
                request_id=_request_id(request),
                from_model=resumptions.from_model,
                to_model=resumptions.to_model,
                method=resumptions.method,
                outcome=resumptions.outcome,
            )


async def _read(call: BidirectionalStream) -> StreamRequest | None:
    reader = StreamRequestReader()
    while (message := await call.read()) is not None:
        if (request := reader.read(decode_request(message))) is not None:
            return request
    return None


def _request_id(request: StreamRequest) -> str:
    return request.headers.get(REQUEST_ID_HEADER, "")[:128]
