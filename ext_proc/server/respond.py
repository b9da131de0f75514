"""The gRPC side of output filters: one gRPC stream is one answer. A reset cancels it, and the client's answer stays cut."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from ext_proc.errors import GatewayError
from ext_proc.grpc_server.bidirectional_stream import BidirectionalStream
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.respond.answer import AnswerHead, OutputFilters
from ext_proc.wire.common import UnexpectedMessage
from ext_proc.wire.respond import (
    AnswerPart,
    BodyPart,
    HeadPart,
    RequestHead,
    TrailersPart,
    decode_part,
    encode_body,
    encode_head,
    encode_request_head,
    encode_trailers,
)
from process_log import get_logger
from protos.contract.headers import REQUEST_ID_HEADER, TRACEPARENT_HEADER
from protos.contract.stages import LISTENER_METADATA

_LENGTH: Final = ("content-length", "content-encoding")

NewFilters = Callable[[str, AnswerHead], OutputFilters | None]
"""From the name of a listener and the head of an answer; None if it has no output filters (any more)."""
CountAnswer = Callable[[str, str], None]
"""Takes a listener and what became of an answer: `filtered`, `refused` or `failed`."""


class RespondProcessor:
    """Serves the streams of the http_filter `plano.respond`."""

    def __init__(self, new_filters: NewFilters, count: CountAnswer) -> None:
        self._new_filters = new_filters
        self._count = count
        self._log = get_logger()

    async def process(self, call: BidirectionalStream) -> None:
        """Serve one answer."""
        try:
            await _Answer(call, self._new_filters, self._finished).process()
        except UnexpectedMessage as unexpected:
            self._log.error("message_unexpected", stage="respond", phase=str(unexpected))
            raise Abort(Status.INVALID_ARGUMENT, f"unexpected {unexpected}") from None
        except Exception as error:
            self._log.exception("answer_not_filtered", error=error)
            raise

    def _finished(self, listener: str, request_id: str, error: GatewayError | None) -> None:
        outcome = "filtered" if error is None else "refused" if error.status < 500 else "failed"
        self._count(listener, outcome)
        if error is not None:
            self._log.warning(
                "answer_refused",
                request_id=request_id,
                listener=listener,
                outcome=outcome,
                status=error.status,
                reason=error.public_message,
                detail=error.detail,
            )


class _Answer:
    """One call."""

    def __init__(
        self, call: BidirectionalStream, new_filters: NewFilters, finished: Callable[[str, str, GatewayError | None], None]
    ) -> None:
        self._call = call
        self._new_filters = new_filters
        self._finished = finished
        self._listener = call.metadata.get(LISTENER_METADATA, "")
        self._request_headers: Mapping[str, str] = {}

    async def process(self) -> None:
        """Read the heads, and then the body as it is to be read."""
        while (message := await self._call.read()) is not None:
            part = self._decoded(message)
            match part:
                case RequestHead():
                    self._request_headers = {**part.headers, **self._trace()}
                    await self._call.write(encode_request_head())
                case HeadPart():
                    await self._answer(part)
                    return
                case _:
                    raise UnexpectedMessage("a body without a head")

    def _trace(self) -> dict[str, str]:
        """Return the context of the span that Envoy has for this call, if it traces."""
        traceparent = self._call.metadata.get(TRACEPARENT_HEADER, "")
        return {TRACEPARENT_HEADER: traceparent} if traceparent else {}

    async def _answer(self, part: HeadPart) -> None:
        filters = self._new_filters(self._listener, part.head) if part.head.is_filtered else None
        if filters is None or part.is_last:
            await self._pass()
            return
        error = await (self._stream(filters) if part.head.is_stream else self._whole(filters))
        self._finished(self._listener, self._request_headers.get(REQUEST_ID_HEADER, "")[:128], error)

    async def _pass(self) -> None:
        await self._call.write(encode_head())
        async for part in self._parts():
            await self._write(part.data if isinstance(part, BodyPart) else b"", part)

    async def _stream(self, filters: OutputFilters) -> GatewayError | None:
        stream = filters.stream()
        await self._call.write(encode_head(removed=_LENGTH))
        async for part in self._parts():
            ready = await stream.feed(part.data) if isinstance(part, BodyPart) else b""
            if part.ends_answer:
                ready += await stream.finish()
            await self._write(ready, part)
        return stream.error

    async def _whole(self, filters: OutputFilters) -> GatewayError | None:
        whole = filters.whole()
        last: BodyPart | TrailersPart = TrailersPart()
        async for part in self._parts():
            last = part
            if isinstance(part, BodyPart):
                whole.feed(part.data)
        filtered = await whole.finish()
        await self._call.write(encode_head(set_=filtered.headers, removed=_LENGTH[1:]))
        await self._write(filtered.body, last)
        return filtered.error

    async def _parts(self) -> AsyncIterator[BodyPart | TrailersPart]:
        """Yield what follows the head; what came while a filter was asked is one part."""
        ends = False
        while not ends and (message := await self._call.read()) is not None:
            part = self._body(message)
            while not part.ends_answer and isinstance(part, BodyPart) and (more := self._call.read_at_once()) is not None:
                following = self._body(more)
                if isinstance(following, TrailersPart):
                    yield part
                    part = following
                else:
                    part = BodyPart(part.data + following.data, following.ends_answer)
            ends = part.ends_answer
            yield part

    def _body(self, message: bytes) -> BodyPart | TrailersPart:
        part = self._decoded(message)
        if isinstance(part, RequestHead | HeadPart):
            raise UnexpectedMessage("a second head")
        return part

    async def _write(self, data: bytes, part: BodyPart | TrailersPart) -> None:
        is_last = isinstance(part, BodyPart) and part.ends_answer
        if data or is_last:
            await self._call.write(encode_body(data, is_last=is_last))
        if isinstance(part, TrailersPart):
            await self._call.write(encode_trailers())

    def _decoded(self, message: bytes) -> AnswerPart:
        return decode_part(message, self._request_headers)
