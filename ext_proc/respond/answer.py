"""One answer on its way to the client: whether output filters see it, as a whole or as a stream, and what they make of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ext_proc.apis.api import Api
from ext_proc.apis.errors import render_error
from ext_proc.apis.registry import PATHS, spec_of
from ext_proc.codec.content_encoding import decoder
from ext_proc.codec.json_body import JsonObject, is_too_deep, load_json, parse_object, write_json
from ext_proc.errors import FilterFailed, GatewayError, MalformedBody, UpstreamError
from ext_proc.filters.chain import run_chain
from ext_proc.filters.filter import Filter
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.ports import Egress
from ext_proc.respond.stream_filter import FilteredStream, unreadable_encoding
from ext_proc.respond.texts import without_logprobs

FILTERED_APIS: Final = frozenset({Api.CHAT_COMPLETIONS, Api.MESSAGES, Api.RESPONSES, Api.COMPLETIONS})
"""APIs whose answers hold text that a model has written."""

MAX_WHOLE_BYTES: Final = 16 * 1024 * 1024
"""A longer answer that is no stream is refused: filters see it as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHead:
    """What is known of an answer when its head has come."""

    api: str
    """The client's; empty for what decide has answered itself."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    request_headers: Mapping[str, str]
    is_local: bool
    """Whether Envoy answers in an upstream's place."""

    @property
    def encoding(self) -> str:
        """How its body is compressed."""
        return self.headers.get("content-encoding", "")

    @property
    def is_filtered(self) -> bool:
        """Whether output filters see the answer: errors of the gateway itself they do not."""
        return self.api in FILTERED_APIS and not self.is_local

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream of events."""
        return self.headers.get("content-type", "").strip().lower().startswith("text/event-stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFilters:
    """The output filters of a listener, for one answer."""

    filters: tuple[Filter, ...]
    egress: Egress
    mcp_sessions: McpSessions
    head: AnswerHead

    @property
    def hold_back(self) -> int:
        """Characters of a text that are held back: what the most demanding filter wants."""
        return max(step.hold_back for step in self.filters)

    def stream(self) -> FilteredStream:
        """Begin to filter a stream."""
        return FilteredStream(self.head.api, self._event, hold_back=self.hold_back, encoding=self.head.encoding)

    def whole(self) -> "WholeAnswer":
        """Begin to filter a whole answer."""
        return WholeAnswer(self)

    async def run(self, body: bytes, *, is_event: bool = False) -> bytes:
        """Return what filters leave of a body; raises as `run_chain` does."""
        headers, path = self.head.request_headers, PATHS[Api(self.head.api)]
        asked = FilteredRequest(path=path, headers=headers, body=body, may_be_answered=False, is_event=is_event)
        return await run_chain(self.filters, asked, egress=self.egress, sessions=self.mcp_sessions)

    async def _event(self, event: JsonObject) -> JsonObject:
        return read_object(await self.run(write_json(event), is_event=True))


@dataclass(frozen=True, slots=True)
class FilteredBody:
    """A whole answer as the client gets it."""

    headers: Mapping[str, str]
    """Those that are set, the status among them."""
    body: bytes
    error: GatewayError | None = None
    """Why it is another answer."""


class WholeAnswer:
    """Filters one whole answer."""

    def __init__(self, filters: OutputFilters) -> None:
        self._filters = filters
        self._head = filters.head
        self._undo = decoder(self._head.encoding)
        self._body = bytearray()
        self._error: GatewayError | None = None if self._undo else unreadable_encoding()

    def feed(self, data: bytes) -> None:
        """Take a part of it."""
        if self._error is not None or self._undo is None:
            return
        try:
            self._body += self._undo.decode(data)
        except GatewayError as error:
            self._error = error
        if len(self._body) > MAX_WHOLE_BYTES:
            detail = f"more than {MAX_WHOLE_BYTES} bytes"
            self._error = UpstreamError("The answer is too long for output filters.", detail=detail)

    async def finish(self) -> FilteredBody:
        """Return what the client gets, without logprobs if filters have changed it."""
        try:
            if self._error is not None:
                raise self._error
            body = await self._filtered(bytes(self._body))
        except GatewayError as error:
            rendered = render_error(error, spec_of(self._head.api).shape)
            return FilteredBody({":status": str(rendered.status), **rendered.headers}, rendered.body, error)
        return FilteredBody({"content-length": str(len(body))}, body)

    async def _filtered(self, body: bytes) -> bytes:
        if not body.strip():
            return body
        self._check(body)
        filtered = await self._filters.run(body)
        return body if filtered == body else write_json(without_logprobs(read_object(filtered)))

    def _check(self, body: bytes) -> None:
        try:
            parse_object(body)
        except MalformedBody as error:
            detail = f"status {self._head.status}: {error.public_message}"
            status = self._head.status if self._head.status >= 400 else 502
            raise UpstreamError("The answer is not JSON, so filters cannot read it.", status=status, detail=detail) from None


def read_object(body: bytes) -> JsonObject:
    """Parse what filters have left, which is JSON.

    Raises:
        FilterFailed: it is nested too deep to be written again.
    """
    value: JsonObject = load_json(body)
    if is_too_deep(body, value):
        raise FilterFailed("An output filter returned JSON that is nested too deep.")
    return value
