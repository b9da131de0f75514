"""Replies in the body mode STREAMED, in which each chunk gets exactly one reply.

In FULL_DUPLEX_STREAMED a chunk may become none or several. In return, in STREAMED the stage may detach at any time.
"""

from collections.abc import Iterable
from dataclasses import replace

from ext_proc.attempt.events import (
    AnswerChunk,
    AttemptReply,
    Detach,
    ResponseBody,
    ResponseHeaders,
    ResponseReply,
    ResponseTrailers,
    SendBody,
    SendHeaders,
)

Seen = ResponseHeaders | ResponseBody | ResponseTrailers


class StreamedModeReplies:
    """Replies for one response."""

    def __init__(self) -> None:
        self.is_over = False
        """Whether the stage has detached."""
        self._has_head = False
        self._unanswered = 0

    def convert(self, seen: Seen, replies: Iterable[ResponseReply]) -> list[AttemptReply]:
        """Convert the replies to an event to the form that Envoy expects in this mode."""
        self.is_over = isinstance(seen, ResponseTrailers) or seen.ends_stream
        self._unanswered += isinstance(seen, ResponseBody)
        paced: list[AttemptReply] = []
        said = bytearray()
        for reply in replies:
            match reply:
                case SendBody():
                    said += reply.data
                case Detach():
                    self.is_over = True
                    return paced
                case _:
                    self._has_head |= isinstance(reply, SendHeaders)
                    paced.append(reply)
        if not self._has_head:
            return []
        if isinstance(seen, ResponseHeaders):
            return [replace(reply, body=bytes(said)) if isinstance(reply, SendHeaders) and said else reply for reply in paced]
        return [*paced, *self._chunks(seen, bytes(said))]

    def _chunks(self, seen: Seen, said: bytes) -> list[AttemptReply]:
        """Put the data into the reply to the last chunk, and empty replies before it."""
        count, self._unanswered = self._unanswered, 0
        if not count:
            return []
        is_itself = count == 1 and isinstance(seen, ResponseBody) and seen.data == said
        return [*[AnswerChunk(b"")] * (count - 1), AnswerChunk(None if is_itself else said)]
