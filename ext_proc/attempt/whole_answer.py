"""Answers that are not streams: buffered until complete, so that another model can be tried if one is late or damaged."""

from typing import Final

import orjson

from ext_proc.apis.errors import ProviderError
from ext_proc.apis.readers import failure_in
from ext_proc.apis.registry import spec_of
from ext_proc.attempt.answers import Attempt, answer_head, empty_answer, refusal, stream_head, unreadable
from ext_proc.attempt.events import Detach, ResponseReply, SendBody, SendHeaders
from ext_proc.attempt.failures import status_of
from ext_proc.attempt.record import COMPLETED, CUT_OFF
from ext_proc.codec.json_body import JsonObject, load_json, parse_object, write_json
from ext_proc.errors import GatewayError, MalformedBody, UpstreamError
from ext_proc.translate.events_to_whole import whole_answer
from ext_proc.translate.stream import bad_answer
from ext_proc.translate.whole_to_events import WITH_EVENTS, stream_of

MAX_WHOLE_BYTES: Final = 64 << 20
"""Maximum size of a whole answer, which is buffered until it is complete."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_SHOWN: Final = 120
"""Characters of an unreadable answer in the log."""


class WholeAnswer:
    """Buffered to its end: translated if the APIs differ, unchanged byte for byte if they are the same.

    A client that requested a stream gets the answer as events.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._held = bytearray()

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Keep a chunk."""
        self._held += data
        if len(self._held) > MAX_WHOLE_BYTES:
            raise UpstreamError("The provider's answer is too large.", code="bad_upstream_answer")
        return []

    def finish(self) -> list[ResponseReply]:
        """Send it, if it is valid."""
        raw = bytes(self._held).removeprefix(_BYTE_ORDER_MARK)
        if not raw.strip():
            raise empty_answer()
        try:
            parsed = self._parse(raw)
            if not isinstance(parsed, ProviderError):
                parsed = failure_in(parsed) or parsed
            if isinstance(parsed, ProviderError):
                return refusal(self._attempt, parsed, self._attempt.failure_of(parsed), status=status_of(parsed))
            return self._tell(parsed)
        except MalformedBody as error:
            raise self._not_an_answer(error, raw) from error

    def _not_an_answer(self, error: MalformedBody, raw: bytes) -> UpstreamError:
        kind = self._attempt.media_type
        if not kind or "json" in kind or kind == "text/event-stream":
            return bad_answer(error)
        begins = " ".join(raw[: 4 * _SHOWN].decode(errors="replace").split())
        self._attempt.record.came = f"{kind}: {begins[:_SHOWN]}"
        message = f"The provider answered with `{kind}` in place of an answer."
        return UpstreamError(message, code="bad_upstream_answer", detail=error.public_message)

    def _tell(self, parsed: JsonObject) -> list[ResponseReply]:
        api = self._attempt.target.api
        if not spec_of(api).has_answer(parsed):
            raise empty_answer()
        if self._attempt.target.wants_stream and api in WITH_EVENTS:
            return self._as_events(stream_of(api, parsed))
        read = self._attempt.prepared.translation.response(parsed)
        self._attempt.record.usage = read.usage
        self._attempt.record.outcome = COMPLETED
        body = self._body(read.body)
        return [
            answer_head(body, self._attempt.cost_head()),
            Detach() if self._attempt.may_detach and body == self._held else SendBody(body),
        ]

    def _as_events(self, events: bytes) -> list[ResponseReply]:
        stream = self._attempt.prepared.translation.stream()
        told = stream.feed(events) + stream.finish()
        self._attempt.record.usage = stream.usage
        self._attempt.record.outcome = CUT_OFF if stream.failed else COMPLETED
        return [stream_head(self._attempt.cost_head()), SendBody(told)]

    def fail(self, error: GatewayError) -> list[ResponseReply]:
        """Answer with an error: nothing was sent yet."""
        return unreadable(self._attempt, error)

    def _parse(self, raw: bytes) -> JsonObject | ProviderError:
        # An answer that passes unchanged is not walked, so its depth does not matter.
        return _load_object(raw) if self._attempt.prepared.is_identity else parse_object(raw)

    def _body(self, answer: JsonObject) -> bytes:
        return bytes(self._held).removeprefix(_BYTE_ORDER_MARK) if self._attempt.prepared.is_identity else write_json(answer)


class FoldedAnswer(WholeAnswer):
    """A stream for a client that wants a whole answer: folded into one."""

    def _parse(self, raw: bytes) -> JsonObject | ProviderError:
        return whole_answer(self._attempt.target.api, raw)

    def _body(self, answer: JsonObject) -> bytes:
        return write_json(answer)


def _load_object(raw: bytes) -> JsonObject:
    try:
        value = load_json(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody("not JSON", detail=str(error)) from None
    if not isinstance(value, dict):
        raise MalformedBody("not a JSON object")
    return value


class PassedAnswer:
    """A body that is not inspected, such as audio: passed on from its first byte."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._has_begun = False

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Pass a chunk on."""
        if not data:
            return []
        # The body is decompressed by now.
        gone = ("content-encoding", "content-length")
        head = [] if self._has_begun else [SendHeaders(remove_headers=gone)]
        self._has_begun = True
        self._attempt.record.outcome = CUT_OFF  # Until the end has come.
        return [*head, SendBody(data)]

    def finish(self) -> list[ResponseReply]:
        """Record its end."""
        if not self._has_begun:
            raise empty_answer()
        self._attempt.record.outcome = COMPLETED
        return []

    def fail(self, error: GatewayError) -> list[ResponseReply]:
        """Answer with an error if nothing was sent yet."""
        return [] if self._has_begun else unreadable(self._attempt, error)
