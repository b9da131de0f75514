"""Answers that are no streams: held until they are whole, so that one that is cut, late or damaged is asked for elsewhere."""

from typing import Final

import orjson

from ext_proc.attempt.answers import OUR_HEADERS, Attempt, answer_head, refusal, unreadable
from ext_proc.attempt.events import Leave, ResponseReply, SendBody, SendHeaders
from ext_proc.attempt.failures import classify, status_of
from ext_proc.attempt.record import COMPLETED, CUT_OFF
from ext_proc.codec.json_body import JsonObject, load_json, parse_object, write_json
from ext_proc.errors import GatewayError, MalformedBody, UpstreamError
from ext_proc.translate.readers import failure_in
from ext_proc.translate.stream import bad_answer

MAX_WHOLE_BYTES: Final = 64 << 20
"""A whole answer may not be larger: it is held here until it is complete."""


class WholeAnswer:
    """A JSON body: translated where the APIs differ, byte for byte as it came where they are the same."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._held = bytearray()

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Keep a piece."""
        self._held += data
        if len(self._held) > MAX_WHOLE_BYTES:
            raise UpstreamError("The provider's answer is too large.", code="bad_upstream_answer")
        return []

    def finish(self) -> list[ResponseReply]:
        """Let it go, if it is one."""
        raw = bytes(self._held)
        parsed = self._parse(raw)
        if (error := failure_in(parsed)) is not None:
            return refusal(self._attempt, error, classify(error), status=status_of(error))
        read = self._attempt.prepared.translation.response(parsed)
        body = raw if self._attempt.prepared.is_identity else _written(read.body)
        self._attempt.record.usage = read.usage
        self._attempt.record.outcome = COMPLETED
        return [answer_head(body, {}), Leave() if self._attempt.may_leave else SendBody(body)]

    def fail(self, error: GatewayError) -> list[ResponseReply]:
        """Answer with an error: nothing was sent yet."""
        return unreadable(self._attempt, error)

    def _parse(self, raw: bytes) -> JsonObject:
        if not raw.strip():
            raise UpstreamError("The provider's answer was empty.", code="empty_answer")
        try:
            # Nothing walks through an answer that passes as it is: its depth is the client's business.
            return _load_object(raw) if self._attempt.prepared.is_identity else parse_object(raw)
        except MalformedBody as error:
            raise bad_answer(error) from error


def _written(body: JsonObject) -> bytes:
    try:
        return write_json(body)
    except MalformedBody as error:
        raise bad_answer(error) from error


def _load_object(raw: bytes) -> JsonObject:
    try:
        value = load_json(raw)
    except orjson.JSONDecodeError as error:
        raise MalformedBody("not JSON", detail=str(error)) from None
    if not isinstance(value, dict):
        raise MalformedBody("not a JSON object")
    return value


class PassedAnswer:
    """A body that nobody here reads, such as a recording: passes as it is, from its first byte on."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._has_begun = False

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Pass a piece on."""
        if not data:
            return []
        # What was compressed is not any more.
        gone = ("content-encoding", "content-length", *OUR_HEADERS)
        head = [] if self._has_begun else [SendHeaders(remove_headers=gone)]
        self._has_begun = True
        self._attempt.record.outcome = CUT_OFF  # Until the end has come.
        return [*head, SendBody(data)]

    def finish(self) -> list[ResponseReply]:
        """Count it."""
        if not self._has_begun:
            raise UpstreamError("The provider's answer was empty.", code="empty_answer")
        self._attempt.record.outcome = COMPLETED
        return []

    def fail(self, error: GatewayError) -> list[ResponseReply]:
        """Answer with an error if nothing was sent yet."""
        return [] if self._has_begun else unreadable(self._attempt, error)
