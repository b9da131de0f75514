"""The gRPC side of the attempt stage: one stream is one attempt. Envoy resets it when it gives the attempt up."""

from collections.abc import Callable
from typing import Any, Final

import grpc
import grpc.aio

from ext_proc.attempt.events import AttemptEvent, AttemptReply
from ext_proc.attempt.record import PASSED
from ext_proc.attempt.session import AttemptSession
from ext_proc.attempt_wire import decode_attempt, encode_attempt
from ext_proc.telemetry.attempt_metrics import AttemptMetrics
from ext_proc.telemetry.logging import get_logger
from ext_proc.wire import UnexpectedMessage

_EOF: Final = grpc.aio.EOF  # type: ignore[attr-defined]


class AttemptProcessor:
    """Serves the streams of the upstream http_filter."""

    def __init__(self, new_session: Callable[[], AttemptSession], metrics: AttemptMetrics) -> None:
        self._new_session = new_session
        self._metrics = metrics
        self._log = get_logger()

    async def process(self, _requests: Any, context: grpc.aio.ServicerContext[Any, bytes]) -> None:
        """Serve one attempt."""
        session = self._new_session()
        try:
            while not session.is_done:
                message = await context.read()
                if message is _EOF:
                    return
                event = decode_attempt(message)
                for reply in encode_attempt(event, self._handle(session, event)):
                    await context.write(reply)
        except UnexpectedMessage as unexpected:
            self._metrics.count_error("unexpected_message")
            self._log.error("message_unexpected", stage="attempt", phase=str(unexpected))
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unexpected {unexpected}")
        finally:
            self._finish(session)

    def _handle(self, session: AttemptSession, event: AttemptEvent) -> list[AttemptReply]:
        try:
            return session.handle(event)
        except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an answer
            self._metrics.count_error("internal")
            self._log.exception("attempt_failed", error=error, request_id=session.record.request_id)
            return session.give_up()

    def _finish(self, session: AttemptSession) -> None:
        record = session.record
        if record.outcome == PASSED or not record.model:
            return
        self._metrics.record(record)
        if record.failed_over_from:
            self._log.warning(
                "failed_over",
                request_id=record.request_id,
                from_model=record.failed_over_from,
                to_model=record.model,
                reason=record.failed_over_for,
            )
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
