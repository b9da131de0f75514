"""The same API on both sides: events pass unchanged; only the model's name is replaced, and usage is read.

Callers with the client's bytes edit the name in place instead of calling `request`, so that nothing is re-serialised.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import orjson

from ext_proc.apis.errors import ProviderError, error_body, of_gateway
from ext_proc.apis.provider_errors import broken_off, parse_error
from ext_proc.apis.registry import shape_of, spec_of
from ext_proc.apis.usage import Usage
from ext_proc.codec.json_body import JsonObject, load_json
from ext_proc.codec.sse import SseDecoder, SseEvent
from ext_proc.errors import GatewayError, UpstreamError
from ext_proc.translate.stream import CUT_OFF, write_event
from ext_proc.translate.stream_usage import StreamUsage
from ext_proc.translate.translation import (
    Exchange,
    StreamTranslator,
    TranslatedBody,
)

MAX_ERROR_BYTES: Final = 64 * 1024
"""A longer error is reduced to its message."""

_BLANK_LINES: Final = (b"\n\n", b"\r\n\r\n", b"\r\r")
_RAW_EVENT: Final = re.compile(rb".+?(?:\n\n|\r\n\r\n|\r\r)", re.DOTALL)

_ENDS: Final = frozenset({"message_stop", "error", "response.completed", "response.incomplete", "response.failed"})


class Identity:
    """A Translation that changes nothing but the model's name."""

    def __init__(self, api: str, exchange: Exchange) -> None:
        self._api = api
        self._exchange = exchange

    def request(self, *, upstream_model: str) -> JsonObject:
        """Return the client's body with the upstream's name of the model."""
        return {**self._exchange.request, "model": upstream_model}

    def response(self, body: JsonObject) -> TranslatedBody:
        """Return the answer unchanged."""
        model = body.get("model")
        return TranslatedBody(
            body=body,
            usage=spec_of(self._api).read_usage(body.get("usage")),
            model=model if isinstance(model, str) else "",
        )

    def error(self, status: int, body: bytes, *, code: str = "") -> bytes:
        """Return the error; unchanged, if it is in the API's shape."""
        return in_clients_shape(self._api, status, body, code=code)

    def stream(self) -> StreamTranslator:
        """Return a translator that passes events on."""
        return IdentityStream(self._api)


def in_clients_shape(client_api: str, status: int, body: bytes, *, code: str = "") -> bytes:
    """Return an error of an upstream in the client's API shape; the same bytes if it has that shape.

    An error longer than MAX_ERROR_BYTES is reduced to its message.
    """
    if len(body) <= MAX_ERROR_BYTES and (parsed := _parsed(body)) is not None and _is_error(client_api, parsed):
        return body
    return orjson.dumps(error_body(parse_error(status, body, code), spec_of(client_api).shape))


class IdentityStream:
    """Passes a stream's events on, reads usage and model, and adds an error event if the stream breaks off.

    Only complete events of valid JSON pass: clients fail with unclear errors on partial ones.
    """

    def __init__(self, api: str, *, number: int = -1) -> None:
        """`number` is the `sequence_number` of the last sent event; -1 if there is none."""
        self.failed = False
        self._number = number
        self._broken: ProviderError | None = None
        """The error in the stream's finish reason, if there is one."""
        self._usage = StreamUsage(api)
        self._api = api
        self._decoder = SseDecoder()
        self._ended = False
        self._held = bytearray()
        """An incomplete event."""

    @property
    def usage(self) -> Usage:
        """Tokens reported so far."""
        return self._usage.usage

    @property
    def model(self) -> str:
        """The model named in the answer."""
        return self._usage.model

    def feed(self, chunk: bytes) -> bytes:
        """Return the events that the chunk completes."""
        if self._broken is not None:
            return b""
        try:
            are_sound = self._observe(self._decoder.feed(chunk))
        except GatewayError as error:
            return self.abort(error)
        searched = max(0, len(self._held) - 3)
        self._held += chunk
        end = max(_end_of(blank, self._held, searched) for blank in _BLANK_LINES)
        taken = self._taken(end, are_sound=are_sound)
        return taken if self._broken is None else taken + self._fail(self._broken)

    def finish(self) -> bytes:
        """Return the last event if only its blank line is missing, and an error if the upstream's answer is not complete."""
        events = self._decoder.finish()
        last = bytes(self._held) if events and self._observe(events) else b""
        self._held.clear()
        if self._ended:
            return last
        gap = b"\n\n" if last else b""
        return last + gap + self._fail(self._broken or of_gateway(UpstreamError(CUT_OFF, code="stream_cut_off")))

    def abort(self, error: GatewayError) -> bytes:
        """Return the API's error event."""
        return b"" if self._ended else self._fail(of_gateway(error))

    def _fail(self, error: ProviderError) -> bytes:
        self._ended = self.failed = True
        return b"".join(write_event(event, self._api) for event in self._failure(error))

    def _failure(self, error: ProviderError) -> tuple[JsonObject, ...]:
        return spec_of(self._api).failure(error, self._number + 1)

    def _taken(self, end: int, *, are_sound: bool) -> bytes:
        whole = bytes(self._held[:end])
        del self._held[:end]
        return whole if are_sound else b"".join(self._sound(whole))

    def _sound(self, whole: bytes) -> Iterator[bytes]:
        """Yield the client's events: valid JSON, [DONE] if the answer is complete, and nothing after a failure."""
        for raw in _RAW_EVENT.findall(whole):
            datas = [event.data for event in SseDecoder().feed(raw) if event.data is not None]
            parsed = [_parsed(data) for data in datas if data != b"[DONE]"]
            if any(event and broken_off(event.get("choices")) for event in parsed):
                return
            if None not in parsed and (self._ended or b"[DONE]" not in datas):
                yield raw

    def _observe(self, events: Iterable[SseEvent]) -> bool:
        """Read events; return whether all are valid."""
        are_sound = True
        for event in events:
            if event.data == b"[DONE]":
                # Without a finish reason before it the answer is incomplete.
                are_sound = are_sound and self._ended
            elif event.data is not None:
                parsed = _parsed(event.data)
                if parsed is None:
                    are_sound = False
                else:
                    self._read(parsed)
                    are_sound = are_sound and self._broken is None
        return are_sound

    def _read(self, event: JsonObject) -> None:
        kind, number = event.get("type"), event.get("sequence_number")
        if isinstance(number, int):
            self._number = number
        if (isinstance(kind, str) and kind in _ENDS) or (event.get("error") and kind is None) or self._is_finished(event):
            self._ended = True
        if kind in ("error", "response.failed") or (event.get("error") and kind is None):
            self.failed = True
        self._usage.read(event)

    def _is_finished(self, event: JsonObject) -> bool:
        choices = event.get("choices")
        reasons = (
            [choice.get("finish_reason") for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
        )
        if any(reasons):
            self._broken = broken_off(choices)
        return any(reasons) and self._broken is None


def _end_of(blank: bytes, held: bytearray, start: int) -> int:
    found = held.rfind(blank, start)
    return 0 if found < 0 else found + len(blank)


def _parsed(data: bytes) -> JsonObject | None:
    try:
        parsed = load_json(data)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _is_error(api: str, body: JsonObject) -> bool:
    """Whether clients of an API can read an error: those of Anthropic's require `"type": "error"`."""
    error = body.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return False
    return shape_of(api) == "openai" or (body.get("type") == "error" and isinstance(error.get("type"), str))
