"""Splices upstream streams into the one stream that the client gets: whole events only, one terminal event."""

from typing import Final

import orjson

from ext_proc.apis.errors import ProviderError
from ext_proc.apis.provider_errors import read_error
from ext_proc.apis.readers import failure_in
from ext_proc.attempt.failures import BETTERED_ELSEWHERE, classify
from ext_proc.codec.json_body import JsonObject, is_too_deep, load_json
from ext_proc.codec.sse import SseDecoder, SseEvent, encode_comment, encode_event
from ext_proc.continuation.chat_merger import ChatMerger
from ext_proc.continuation.event_template import EventTemplate, event_template
from ext_proc.continuation.merger import Merger
from ext_proc.continuation.messages_merger import MessagesMerger
from ext_proc.continuation.responses_merger import ResponsesMerger
from ext_proc.errors import GatewayError
from ext_proc.translate.passthrough import IdentityStream
from ext_proc.translate.stream import write_event
from ext_proc.translate.stream_usage import StreamUsage
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES, RESPONSES

_MERGERS: Final[dict[str, type[Merger]]] = {CHAT_COMPLETIONS: ChatMerger, MESSAGES: MessagesMerger, RESPONSES: ResponsesMerger}
_LAST: Final = ("message_stop", "response.completed", "response.incomplete")

_LESSONS: Final = 4
"""Attempts to find a template before giving up for this stream."""


class Broken(Exception):
    """The stream reported a failure, or cannot be resumed from; another model may succeed."""


class Splicer:
    """Splices the streams of one answer, in one client API."""

    def __init__(self, api: str) -> None:
        self.merger = _MERGERS[api]()
        self.has_ended = False
        """Whether the client has received the last event."""
        self.is_refused = False
        """Whether that was an error that is not retriable on another model."""
        self.usage = StreamUsage(api)
        """Model and usage of the current stream."""
        self.events = 0
        """Number of events without keep-alives."""
        self._api = api
        self._decoder = SseDecoder()
        self._is_first = True
        self._held: list[JsonObject] = []
        self._ready = bytearray()
        self._lessons = _LESSONS
        self._template: EventTemplate | None = None
        """Template of the first stream's last event, while only text follows."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the answer is missing."""
        return self.has_ended or self.merger.complete

    def begin(self) -> None:
        """Begin to read a resumed stream."""
        self._decoder = SseDecoder()
        self.usage = StreamUsage(self._api)
        self._is_first = False
        self._held.clear()
        self._ready.clear()
        self._lessons, self._template = 0, None
        self.merger.begin()

    def feed(self, data: bytes) -> bytes:
        """Return the client's part of a chunk.

        Raises:
            Broken: the stream reports a failure.
            Mismatch: it does not continue the client's answer.
            UpstreamError: an event exceeds the limit.
        """
        self._ready.clear()
        at = 0
        while at < len(data):
            at = self._alike(data, at) or self._others(data, at)
        return bytes(self._ready)

    def finish(self) -> bytes:
        """Return what the end of a stream completes; raises as `feed` does."""
        self._ready.clear()
        self._all(self._decoder.finish())
        return bytes(self._ready)

    def before_stop(self) -> bytes:
        """Return, after an exception, the client's part of the same chunk before the error."""
        return bytes(self._ready)

    def terminator(self) -> bytes:
        """Return the unsent end of a complete answer."""
        if self.has_ended:
            return b""
        self.has_ended = True
        return self.merger.terminator()

    def abort(self, error: GatewayError) -> bytes:
        """Return the error that ends an answer which is not complete."""
        self.has_ended = True
        return IdentityStream(self._api, number=self.merger.number).abort(error)

    def _alike(self, data: bytes, start: int) -> int:
        """Pass on the events at `start` that match the template; return their end, 0 if there is none."""
        if self._template is None or self.has_ended or not self._decoder.is_between_events:
            return 0
        alike = self._template.read(data, start)
        if alike is None:
            return 0
        self._lessons = _LESSONS
        self.events += 1
        self.merger.record(self._template.place, alike.text, alike.number)
        self._ready += data[start : alike.end]
        return alike.end

    def _others(self, data: bytes, start: int) -> int:
        """Parse one event as the next template, or all events if no template is expected; return their end."""
        blank = data.find(b"\n\n", start) if self._lessons else -1
        end = len(data) if blank < 0 else blank + 2
        self._all(self._decoder.feed(data[start:end]))
        return end

    def _all(self, events: list[SseEvent]) -> None:
        for event in events:
            if not self.has_ended:
                self._ready += self._one(event)

    def _one(self, event: SseEvent) -> bytes:
        if not event.data:
            return encode_comment("ping")
        if event.data == b"[DONE]":
            return self.terminator() if self.merger.complete else b""
        try:
            parsed = load_json(event.data)
        except orjson.JSONDecodeError:
            return b""  # No client could read it.
        if not isinstance(parsed, dict):
            return b""
        if is_too_deep(event.data, parsed):
            raise Broken
        self._template = None
        self.usage.read(parsed)
        kind = parsed.get("type") or event.event
        if kind == "ping":
            return encode_event(event.data, event.event)
        self.events += 1
        if (error := _failure(parsed, kind)) is not None:
            return self._fail(event, error)
        return self._fitted(event, parsed, kind)

    def _fitted(self, event: SseEvent, parsed: JsonObject, kind: object) -> bytes:
        fitted = self.merger.fit(parsed)
        if self._is_first:
            self.has_ended = kind in _LAST
            self._look_closely(event, parsed)
            return encode_event(event.data or b"", event.event)
        if fitted is not None:
            self._held.append(fitted)
        if not self.merger.transcript.caught_up:
            return b""
        self.has_ended = kind in _LAST
        ready = b"".join(write_event(held, self._api) for held in self._held)
        self._held.clear()
        return ready

    def _look_closely(self, event: SseEvent, parsed: JsonObject) -> None:
        place = self.merger.place(parsed) if self._lessons else None
        if place is not None:
            self._lessons -= 1
            self._template = event_template(event, place)

    def _fail(self, event: SseEvent, error: ProviderError) -> bytes:
        failure = classify(error)
        if failure in BETTERED_ELSEWHERE or not self._is_first:
            raise Broken
        self.has_ended = self.is_refused = True
        return encode_event(event.data or b"", event.event)


def _failure(event: JsonObject, kind: object) -> ProviderError | None:
    if kind == "response.failed":
        return read_error(event.get("response"))
    return read_error(event) if kind == "error" else failure_in(event)
