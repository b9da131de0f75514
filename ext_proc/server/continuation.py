"""The HTTP side of answers that ext_proc builds: one exchange is one request, answered in chunks. A reset cancels it."""

from collections.abc import Callable
from dataclasses import replace

from ext_proc.continuation.ports import CutOff
from ext_proc.continuation.transaction import Head, ResumableAnswer, StreamRequest
from ext_proc.grpc_server.exchange import Exchange, Serve
from ext_proc.grpc_server.http2.header_blocks import Headers
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.orchestration.answer import OrchestratedAnswer
from ext_proc.telemetry.attempt_metrics import AttemptMetrics
from ext_proc.telemetry.continuation_metrics import ContinuationMetrics
from ext_proc.telemetry.spans import describe_stream
from ext_proc.telemetry.tracer import Tracer
from ext_proc.tracing.span import Span
from ext_proc.wire.continuation import decode_stream_request, encode_head
from process_log import get_logger
from protos.contract.headers import REQUEST_ID_HEADER, TRACEPARENT_HEADER
from protos.contract.stages import STAGE_METADATA, STAGE_UPSTREAM


class AnswerProcessor:
    """Serves requests of which ext_proc is the upstream."""

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

    def serves(self, headers: Headers) -> Serve | None:
        """Return who serves a request with these headers; None if it is a call of gRPC."""
        return self.process if headers.get(STAGE_METADATA) == STAGE_UPSTREAM else None

    async def process(self, exchange: Exchange) -> None:
        """Serve one request."""
        request = decode_stream_request(exchange.headers, await exchange.read())
        span, request = self._trace(request, request.headers.get(TRACEPARENT_HEADER, ""))
        await self._answer(request, exchange, span)

    def _trace(self, request: StreamRequest, traceparent: str) -> tuple[Span | None, StreamRequest]:
        """Make the upstream streams part of Envoy's trace, if there is one."""
        if not traceparent:
            return None, request
        span = self._tracer.begin("answer stream", traceparent) if self._tracer else None
        carried = span.context.traceparent if span else traceparent
        return span, replace(request, headers={**request.headers, TRACEPARENT_HEADER: carried})

    async def _answer(self, request: StreamRequest, exchange: Exchange, span: Span | None) -> None:
        answer = self._new_answer(request)
        try:
            await answer.give(lambda part: _send(exchange, part))
        except CutOff:
            # Envoy then resets the client's stream, which shows that the answer is incomplete.
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


async def _send(exchange: Exchange, part: Head | bytes) -> None:
    if isinstance(part, bytes):
        await exchange.write(part)
    else:
        exchange.begin(encode_head(part))


def _request_id(request: StreamRequest) -> str:
    return request.headers.get(REQUEST_ID_HEADER, "")[:128]
