"""An event stream: held until it has content, then translated or passed on unchanged."""

import re
from typing import Final

from ext_proc.attempt.answers import Attempt, empty_answer, refusal, stream_head, unreadable
from ext_proc.attempt.events import Detach, ResponseReply, SendBody
from ext_proc.attempt.failures import status_of
from ext_proc.attempt.first_token_gate import Gate, Opened, Opening
from ext_proc.attempt.record import BEGUN, COMPLETED, CUT_OFF
from ext_proc.errors import GatewayError, UpstreamError
from protos.contract.headers import UNCOUNTED_HEADER
from protos.contract.metadata import WATCH_BEGINNING, WATCH_GATE, WATCH_HEAD

MAX_HELD_BYTES: Final = 16 << 20
"""Maximum of bytes before a stream's first content: comments, announcements, the beginning of an event."""
_SPEAKS: Final = re.compile(rb'(?m)^data:(?!\s*\{\s*"type"\s*:\s*"ping")')
"""An event that is not a keep-alive."""


class StreamAnswer:
    """The answer to one attempt."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._gate: Gate | None = Gate(attempt.prepared.reads)
        """None once it is open."""
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._refused = False
        self._spoke_at = 0.0
        """When the client was last sent an event, in seconds since the request."""
        self._stream = attempt.prepared.translation.stream()

    def begin(self) -> list[ResponseReply]:
        """Process the headers, and return them if they need not be held."""
        if self._attempt.target.watch != WATCH_HEAD:
            return []
        self._gate = None
        return self._detach({}) if self._attempt.may_detach else [stream_head()]

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Hold a chunk, or translate it."""
        if self._refused:
            return []
        if self._gate is None:
            return _body(self._spoken(self._stream.feed(data)))
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > MAX_HELD_BYTES:
            raise UpstreamError("The provider's stream says nothing.", code="bad_upstream_answer")
        opening = self._gate.feed(data)
        return [] if opening is None else self._open(opening)

    def _spoken(self, told: bytes) -> bytes:
        """Enforce the idle timeout: to Envoy keep-alives are progress."""
        now = self._attempt.elapsed()
        if _SPEAKS.search(told):
            self._spoke_at = now
        elif now - self._spoke_at > self._attempt.target.bounds.silence:
            raise UpstreamError("The provider's stream fell silent.", status=504, code="upstream_timeout")
        return told

    def finish(self) -> list[ResponseReply]:
        """End the stream as its API requires."""
        if self._refused:
            return []
        begun = self._open_at_end(self._gate) if self._gate is not None else []
        if self._refused:
            return begun
        last = self._stream.finish()
        record = self._attempt.record
        record.usage = self._stream.usage
        record.outcome = CUT_OFF if self._stream.failed else COMPLETED
        return [*begun, *_body(last)]

    def fail(self, error: GatewayError) -> list[ResponseReply]:
        """End with an error: as an error answer if nothing was sent yet, else as the API's error event."""
        if self._refused:
            return []
        if self._gate is not None:
            self._refused = True
            return unreadable(self._attempt, error)
        self._attempt.record.outcome = CUT_OFF
        return _body(self._stream.abort(error))

    def _open_at_end(self, gate: Gate) -> list[ResponseReply]:
        opening = gate.finish()
        if opening is None:
            raise empty_answer()
        return self._open(opening)

    def _open(self, opening: Opening) -> list[ResponseReply]:
        self._gate = None
        held = b"".join(self._held)
        self._held.clear()
        if not isinstance(opening, Opened):
            # The client has seen nothing: an error in the stream can still become a status.
            self._refused = True
            return refusal(self._attempt, opening, self._attempt.failure_of(opening), status=status_of(opening))
        self._attempt.record.first_token_seconds = self._spoke_at = self._attempt.elapsed()
        if self._attempt.may_detach and self._attempt.target.watch == WATCH_GATE:
            return self._detach({})
        if self._attempt.may_detach and self._attempt.target.watch == WATCH_BEGINNING:
            self._attempt.record.is_counted_elsewhere = True
            return self._detach({UNCOUNTED_HEADER: "true"})
        self._attempt.record.outcome = CUT_OFF  # Until the end has come.
        return [stream_head(), *_body(self._stream.feed(held))]

    def _detach(self, set_headers: dict[str, str]) -> list[ResponseReply]:
        self._attempt.record.outcome = BEGUN
        return [stream_head(set_headers), Detach()]


def _body(data: bytes) -> list[ResponseReply]:
    return [SendBody(data)] if data else []
