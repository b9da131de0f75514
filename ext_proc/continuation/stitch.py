"""The bytes of one stream after another -> the one stream that the client gets: whole events only, one end."""

from typing import Final

import orjson

from ext_proc.attempt.failures import BETTERED_ELSEWHERE, classify
from ext_proc.codec.json_body import JsonObject, is_too_deep
from ext_proc.codec.sse import SseDecoder, SseEvent, encode_comment, encode_event
from ext_proc.continuation.chat_weave import ChatWeave
from ext_proc.continuation.ledger import Mismatch
from ext_proc.continuation.messages_weave import MessagesWeave
from ext_proc.continuation.responses_weave import ResponsesWeave
from ext_proc.continuation.weave import Weave
from ext_proc.errors import GatewayError
from ext_proc.translate.events import write_event
from ext_proc.translate.identity import IdentityStream
from ext_proc.translate.provider_errors import ProviderError, read_error
from ext_proc.translate.readers import is_failure
from ext_proc.translate.stream_usage import StreamUsage
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES, RESPONSES

_WEAVES: Final[dict[str, type[Weave]]] = {CHAT_COMPLETIONS: ChatWeave, MESSAGES: MessagesWeave, RESPONSES: ResponsesWeave}
_LAST: Final = ("message_stop", "response.completed", "response.incomplete")


class Broken(Exception):
    """The stream failed, by what it says itself or by what nobody can go on from; another model may do better."""


class Stitch:
    """Of one answer in a client API."""

    def __init__(self, api: str) -> None:
        self.weave = _WEAVES[api]()
        self.has_ended = False
        """Whether the client has the last event."""
        self.is_refused = False
        """Whether that is an error which no other model can better."""
        self.told = StreamUsage(api)
        """What the stream that is read now says of itself."""
        self._api = api
        self._decoder = SseDecoder()
        self._is_first = True
        self._held: list[JsonObject] = []
        self._before_stop = b""

    @property
    def is_complete(self) -> bool:
        """Whether nothing of the answer is missing."""
        return self.has_ended or self.weave.complete

    def begin(self) -> None:
        """Let another stream take over."""
        self._decoder = SseDecoder()
        self.told = StreamUsage(self._api)
        self._is_first = False
        self._held.clear()
        self._before_stop = b""
        self.weave.begin()

    def feed(self, data: bytes) -> bytes:
        """Return what the client gets of a piece.

        Raises:
            Broken: the stream says that it failed.
            Mismatch: it does not go on from what the client has.
            UpstreamError: an event is longer than any should be.
        """
        return self._all(self._decoder.feed(data))

    def finish(self) -> bytes:
        """Return what the end of a stream completes; raises as `feed` does."""
        return self._all(self._decoder.finish())

    def before_stop(self) -> bytes:
        """Return, after an exception, what the same piece had for the client before that."""
        return self._before_stop

    def farewell(self) -> bytes:
        """Return the end of a complete answer, as far as the client has not seen it."""
        if self.has_ended:
            return b""
        self.has_ended = True
        return self.weave.farewell()

    def abort(self, error: GatewayError) -> bytes:
        """Return the error that ends an answer which is not complete."""
        self.has_ended = True
        return IdentityStream(self._api).abort(error)

    def _all(self, events: list[SseEvent]) -> bytes:
        out = bytearray()
        try:
            for event in events:
                if not self.has_ended:
                    out += self._one(event)
        except (Broken, Mismatch, GatewayError):
            self._before_stop = bytes(out)
            raise
        return bytes(out)

    def _one(self, event: SseEvent) -> bytes:
        if event.data is None:
            return encode_comment("ping")
        if event.data == b"[DONE]":
            return self.farewell() if self.weave.complete else b""
        try:
            parsed = orjson.loads(event.data)
        except orjson.JSONDecodeError:
            return b""  # Nobody could read it.
        if not isinstance(parsed, dict):
            return b""
        if is_too_deep(event.data, parsed):
            raise Broken
        self.told.read(parsed)
        kind = parsed.get("type") or event.event
        if kind in ("error", "response.failed") or is_failure(parsed):
            return self._fail(event, read_error(parsed.get("response") if kind == "response.failed" else parsed))
        if kind == "ping":
            return encode_event(event.data, event.event)
        return self._fitted(event, parsed, kind)

    def _fitted(self, event: SseEvent, parsed: JsonObject, kind: object) -> bytes:
        fitted = self.weave.fit(parsed)
        if self._is_first:
            self.has_ended = kind in _LAST
            return encode_event(event.data or b"", event.event)
        if fitted is not None:
            self._held.append(fitted)
        if not self.weave.ledger.caught_up:
            return b""
        self.has_ended = kind in _LAST
        ready = b"".join(write_event(held, self._api) for held in self._held)
        self._held.clear()
        return ready

    def _fail(self, event: SseEvent, error: ProviderError) -> bytes:
        failure = classify(error)
        if failure in BETTERED_ELSEWHERE or not self._is_first:
            raise Broken
        self.has_ended = self.is_refused = True
        return encode_event(event.data or b"", event.event)
