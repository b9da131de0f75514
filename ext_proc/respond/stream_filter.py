"""One stream through output filters: events in, events out, with the texts that filters leave.

Events without text pass at once, those that come after the end of a text after all of it. A filter is asked once for all that
has come of a text since it was asked last, so a slow one sees fewer, longer pieces.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final

from ext_proc.apis.readers import CHAT_DONE, PING, parse_event
from ext_proc.codec.content_encoding import decoder
from ext_proc.codec.json_body import JsonObject
from ext_proc.codec.sse import SseDecoder, SseEvent
from ext_proc.errors import FilterFailed, GatewayError, MalformedBody, UpstreamError
from ext_proc.respond.hold_back import HeldText
from ext_proc.respond.texts import AnswerTexts, Place, read, texts_of, without_logprobs, written
from ext_proc.translate.passthrough import IdentityStream
from ext_proc.translate.stream import write_event

FilterEvent = Callable[[JsonObject], Awaitable[JsonObject]]
"""Runs an event through all filters; raises what `run_chain` does."""

_NUMBER: Final = "sequence_number"


@dataclass(slots=True)
class _Open:
    """A text that has not ended."""

    place: Place
    event: JsonObject
    """The last event that brought some of it."""
    held: HeldText


class FilteredStream:
    """Filters one stream. Knows no transport."""

    def __init__(self, api: str, filter_event: FilterEvent, *, hold_back: int, encoding: str = "") -> None:
        self.has_failed = False
        """Whether the client has the error that ends the answer; nothing follows it."""
        self.error: GatewayError | None = None
        self._api = api
        self._texts: AnswerTexts = texts_of(api)
        self._filter_event = filter_event
        self._hold_back = hold_back
        self._undo = decoder(encoding)
        self._decoder = SseDecoder()
        self._open: dict[tuple[Hashable, ...], _Open] = {}
        self._said: dict[tuple[Hashable, ...], list[str]] = {}
        """What the client has of each text: some APIs repeat them at their end."""
        self._number = -1
        self._ready = bytearray()

    async def feed(self, chunk: bytes) -> bytes:
        """Return what the client gets of a chunk, however it is cut."""
        return await self._guarded(self._feed(chunk))

    async def finish(self) -> bytes:
        """Return what the end of the stream completes."""
        return await self._guarded(self._finish())

    async def _guarded(self, work: Awaitable[None]) -> bytes:
        try:
            await work
        except GatewayError as error:
            self.error, self.has_failed = error, True
            self._ready += IdentityStream(self._api, number=self._number).abort(error)
        ready = bytes(self._ready)
        self._ready.clear()
        return ready

    async def _feed(self, chunk: bytes) -> None:
        if self.has_failed:
            return
        if self._undo is None:
            raise unreadable_encoding()
        for event in self._decoder.feed(self._undo.decode(chunk)):
            await self._event(event)
        for text in list(self._open.values()):
            if text.held.is_due:
                self._send_text(text, text.held.release(await self._filtered(text)))

    async def _finish(self) -> None:
        if self.has_failed:
            return
        for event in self._decoder.finish():
            await self._event(event)
        await self._close_all()

    async def _event(self, event: SseEvent) -> None:
        if not event.data:
            self._send(PING)
        elif event.data == b"[DONE]":
            await self._close_all()
            self._send(CHAT_DONE)
        else:
            parsed = parse_event(event.data)
            if isinstance(parsed, MalformedBody):
                raise FilterFailed("The answer holds an event that filters cannot read.", detail=parsed.public_message)
            for part in self._texts.split(parsed):
                await self._one(part)

    async def _one(self, event: JsonObject) -> None:
        for text in list(self._open.values()):
            if self._texts.closes(event, text.place):
                await self._close(text)
        parts = self._texts.parts(event)
        for place in self._texts.repeats(event):
            event = written(event, place.path, await self._repeated(event, place))
        rest = without_logprobs(event)
        for place in parts:
            rest = written(rest, place.path, "")
        begins = any(place.key not in self._open for place in parts)
        if not parts or self._texts.says_more(rest, begins=begins):
            self._send(rest)
        for place in parts:
            self._take(event, place)

    def _take(self, event: JsonObject, place: Place) -> None:
        text = self._open.get(place.key)
        if text is None:
            text = self._open[place.key] = _Open(place, event, HeldText(self._hold_back))
        text.place, text.event = place, event
        text.held.text += read(event, place.path)

    async def _close_all(self) -> None:
        for text in list(self._open.values()):
            await self._close(text)

    async def _close(self, text: _Open) -> None:
        del self._open[text.place.key]
        self._said.setdefault(text.place.key, [])
        if text.held.text:
            self._send_text(text, text.held.release_all(await self._filtered(text)))

    async def _filtered(self, text: _Open) -> str:
        shown = self._texts.alone(text.event, text.place, text.held.text)
        return await self._ask(shown, text.place)

    async def _repeated(self, event: JsonObject, place: Place) -> str:
        """Return what the client has of a text that came in parts, or else what filters make of it now."""
        if place.key not in self._said:
            self._said[place.key] = [await self._ask(event, place)]
        return "".join(self._said[place.key])

    async def _ask(self, event: JsonObject, place: Place) -> str:
        left = await self._filter_event(event)
        try:
            text = read(left, place.path_alone)
        except (LookupError, TypeError):
            text = None
        if not isinstance(text, str):
            raise FilterFailed("An output filter left no text in an event of the answer.")
        return text

    def _send_text(self, text: _Open, ready: str) -> None:
        if ready:
            self._said.setdefault(text.place.key, []).append(ready)
            self._send(self._texts.alone(text.event, text.place, ready))

    def _send(self, event: JsonObject) -> None:
        if _NUMBER in event:
            self._number += 1
            event = {**event, _NUMBER: self._number}
        self._ready += write_event(event, self._api)


def unreadable_encoding() -> UpstreamError:
    """Return the error of an answer that is compressed although upstreams are asked not to."""
    return UpstreamError("The answer is compressed in a way that output filters cannot read.", code="bad_upstream_answer")
