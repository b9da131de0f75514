"""The gRPC side of continued streams: a stream of Envoy is a request, answered piece by piece. Its reset cancels all of it."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Final

import grpc
import grpc.aio

from ext_proc import contract
from ext_proc.continuation.ports import CutOff
from ext_proc.continuation.session import Asked, ContinuedAnswer
from ext_proc.continue_wire import AskedReader, encode_part
from ext_proc.telemetry.continuation_metrics import ContinuationMetrics
from ext_proc.telemetry.logging import get_logger
from ext_proc.wire import UnexpectedMessage

_EOF: Final = grpc.aio.EOF  # type: ignore[attr-defined]


class ContinueProcessor:
    """Serves the streams of the http_filter `plano.continue`."""

    def __init__(self, new_answer: Callable[[Asked], ContinuedAnswer], metrics: ContinuationMetrics) -> None:
        self._new_answer = new_answer
        self._metrics = metrics
        self._log = get_logger()

    async def process(self, _requests: Any, context: grpc.aio.ServicerContext[Any, bytes]) -> None:
        """Serve one request."""
        try:
            asked = await _read(context)
        except UnexpectedMessage as unexpected:
            self._metrics.count_error("unexpected_message")
            self._log.error("message_unexpected", stage="continue", phase=str(unexpected))
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unexpected {unexpected}")
            return
        if asked is not None:
            await self._answer(asked, context)

    async def _answer(self, asked: Asked, context: grpc.aio.ServicerContext[Any, bytes]) -> None:
        answer = self._new_answer(asked)
        try:
            async with aclosing(answer.stream()) as parts:
                async for part in parts:
                    await context.write(encode_part(part))
            await context.write(encode_part(b"", ends_stream=True))
        except CutOff:
            # Envoy then resets the client's stream, which tells that the answer is not whole.
            await context.abort(grpc.StatusCode.UNAVAILABLE, "cut off")
        except Exception as error:
            self._metrics.count_error("internal")
            self._log.exception("continuation_failed", error=error, request_id=_request_id(asked))
            raise
        finally:
            self._finish(answer, asked)

    def _finish(self, answer: ContinuedAnswer, asked: Asked) -> None:
        for taken in answer.taken:
            self._metrics.record(taken)
            self._log.warning(
                "stream_continued",
                request_id=_request_id(asked),
                from_model=taken.from_model,
                to_model=taken.to_model,
                method=taken.method,
                outcome=taken.outcome,
            )


async def _read(context: grpc.aio.ServicerContext[Any, bytes]) -> Asked | None:
    reader = AskedReader()
    while (message := await context.read()) is not _EOF:
        if (asked := reader.read(message)) is not None:
            return asked
    return None


def _request_id(asked: Asked) -> str:
    return asked.headers.get(contract.REQUEST_ID_HEADER, "")[:128]
