"""Local replies of Envoy: the attempt reached no upstream, or timed out."""

from collections.abc import Mapping
from typing import Final

from ext_proc.attempt.answers import Attempt, our_error, tell_failure
from ext_proc.attempt.events import ResponseReply
from ext_proc.attempt.failures import Failure
from ext_proc.errors import GatewayError, UpstreamError
from protos.contract.headers import LOCAL_REPLY_HEADER, UNAVAILABLE_HEADER

_OVERFLOW: Final = "UO"
"""Envoy's response flag of an open circuit breaker."""


def unanswered(status: int) -> UpstreamError:
    """Return the error for a local reply of Envoy."""
    if status == 504:
        return UpstreamError("The upstream service did not answer in time.", status=504, code="upstream_timeout")
    headers = {"retry-after": "1"} if status == 503 else {}
    return UpstreamError(
        "The upstream service could not be reached.", status=status, code="upstream_unavailable", headers=headers
    )


class LocalReplyAnswer:
    """The gateway's own error, which the client gets if no other model is attempted."""

    def __init__(self, attempt: Attempt, status: int, headers: Mapping[str, str]) -> None:
        self._attempt = attempt
        self._error = unanswered(status)
        is_refused = _OVERFLOW in headers.get(LOCAL_REPLY_HEADER, "").split(",")
        self._asks_to_wait = is_refused or headers.get(UNAVAILABLE_HEADER) == "true"

    def feed(self, _data: bytes) -> list[ResponseReply]:
        """Drop a chunk of the local reply."""
        return []

    def finish(self) -> list[ResponseReply]:
        """Tell the error."""
        error = our_error(self._attempt, self._error, status=self._error.status)
        return tell_failure(self._attempt, Failure.UNANSWERED, error, asks_to_wait=self._asks_to_wait)

    def fail(self, _error: GatewayError) -> list[ResponseReply]:
        """Tell the error."""
        return self.finish()
