"""Determines the kind of an answer by status and content type, and if the type is implausible, by its first bytes."""

import re
from collections.abc import Mapping
from typing import Final

from ext_proc.apis.errors import redirected
from ext_proc.apis.registry import spec_of
from ext_proc.attempt.answers import Answer, Attempt, ErrorAnswer, unreadable
from ext_proc.attempt.events import ResponseReply
from ext_proc.attempt.local_reply import LocalReplyAnswer
from ext_proc.attempt.stream_answer import StreamAnswer
from ext_proc.attempt.whole_answer import FoldedAnswer, PassedAnswer, WholeAnswer
from ext_proc.errors import GatewayError
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES, RESPONSES
from protos.contract.headers import LOCAL_REPLY_HEADER

_IN_BOTH_FORMS: Final = frozenset({CHAT_COMPLETIONS, MESSAGES, RESPONSES})
"""APIs whose answers are JSON or events, which can be converted to each other. Others may answer with audio."""
_EVENTS: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:")
"""How a stream of server-sent events begins."""
_PAGE: Final = "text/html"
"""A text for people instead of an answer in any API, such as an HTML page."""
_ENOUGH: Final = 16
"""Bytes that are needed to decide."""


def kind_of_answer(attempt: Attempt, status: int, headers: Mapping[str, str]) -> Answer:
    """Return the reader of the answer."""
    if LOCAL_REPLY_HEADER in headers:
        return LocalReplyAnswer(attempt, status, headers)
    if status >= 400:
        return ErrorAnswer(attempt, status, headers)
    if status >= 300:
        return RedirectAnswer(attempt, status)
    if attempt.media_type == spec_of(attempt.prepared.reads).stream_type:
        return _of_events(attempt)
    if attempt.target.api not in _IN_BOTH_FORMS:
        is_json = not attempt.prepared.is_identity or not attempt.media_type or "json" in attempt.media_type
        return WholeAnswer(attempt) if is_json or attempt.media_type == _PAGE else PassedAnswer(attempt)
    return SniffedAnswer(attempt)


class RedirectAnswer:
    """A status from 300 to 399: nobody else is asked with the gateway's keys, and clients would send theirs."""

    def __init__(self, attempt: Attempt, status: int) -> None:
        self._attempt = attempt
        self._error = redirected(status)

    def feed(self, _data: bytes) -> list[ResponseReply]:
        """Look at nothing of it."""
        raise self._error

    def finish(self) -> list[ResponseReply]:
        """Answer with an error."""
        raise self._error

    def fail(self, error: GatewayError) -> list[ResponseReply]:
        """Answer with an error."""
        return unreadable(self._attempt, error)


def _of_events(attempt: Attempt) -> Answer:
    if attempt.target.wants_stream or attempt.target.api not in _IN_BOTH_FORMS:
        return StreamAnswer(attempt)
    return FoldedAnswer(attempt)


class SniffedAnswer:
    """An answer whose content type is not a stream: held until its first bytes confirm that."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._held = bytearray()
        self._kind: Answer | None = None

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Keep a chunk, or pass it on."""
        if self._kind is not None:
            return self._kind.feed(data)
        self._held += data
        return self._known().feed(bytes(self._held)) if len(self._held.lstrip()) >= _ENOUGH else []

    def finish(self) -> list[ResponseReply]:
        """End it."""
        if self._kind is not None:
            return self._kind.finish()
        kind = self._known()
        return [*kind.feed(bytes(self._held)), *kind.finish()]

    def fail(self, error: GatewayError) -> list[ResponseReply]:
        """Answer with an error."""
        return unreadable(self._attempt, error) if self._kind is None else self._kind.fail(error)

    def _known(self) -> Answer:
        is_stream = _EVENTS.match(self._held) is not None
        self._kind = _of_events(self._attempt) if is_stream else WholeAnswer(self._attempt)
        return self._kind
