"""What answers have in common, and errors: read before the client sees them. See `whole_answer` and `stream_answer`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import orjson

from ext_proc.apis.errors import ProviderError, error_body, of_gateway
from ext_proc.apis.provider_errors import code_of, parse_error
from ext_proc.apis.registry import spec_of
from ext_proc.attempt.events import ResponseReply, SendBody, SendHeaders
from ext_proc.attempt.failures import BETTERED_ELSEWHERE, Failure, classify
from ext_proc.attempt.record import AttemptRecord
from ext_proc.attempt.target import AttemptTarget
from ext_proc.attempt.upstream_request import Prepared
from ext_proc.codec.key_redaction import redact_keys
from ext_proc.errors import GatewayError, UpstreamError
from protos.contract.headers import HISTORY_HEADER, RETRY_AFTER_HEADER, RETRY_HEADER

_ERROR_TYPE_HEADER: Final = "x-amzn-errortype"
MAX_ERROR_BYTES: Final = 1 << 20
"""More of an error's body than this is not read."""


class Answer(Protocol):
    """Turns an upstream's body into what the client gets."""

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Take a piece.

        Raises:
            GatewayError: it cannot be read.
        """
        ...

    def finish(self) -> list[ResponseReply]:
        """Take the end of the body, and return what is due before the client's ends.

        Raises:
            GatewayError: what came cannot be read.
        """
        ...

    def fail(self, error: GatewayError, /) -> list[ResponseReply]:
        """Give up, and return what the client gets instead of the rest."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What all answers of an attempt need."""

    target: AttemptTarget
    prepared: Prepared
    record: AttemptRecord
    elapsed: Callable[[], float]
    """Tells the seconds since the request went out."""
    media_type: str = ""
    """What the answer calls itself, without parameters, in lower case."""
    may_detach: bool = False
    """Whether the rest of an answer may pass without us."""

    def failed(self, failure: Failure, *, asks_to_wait: bool = False) -> dict[str, str]:
        """Record a failure; return the headers that tell it to Envoy and to the next attempt."""
        self.record.outcome = failure
        betters = failure in BETTERED_ELSEWHERE and (failure is not Failure.CONTEXT_LENGTH or self.target.has_others)
        history = self.target.history_after(failure, self.elapsed(), asks_to_wait=asks_to_wait)
        return {HISTORY_HEADER: history.dump()} | ({RETRY_HEADER: failure} if betters else {})


def refusal(attempt: Attempt, error: ProviderError, failure: Failure, *, status: int) -> list[ResponseReply]:
    """Answer with an error in the client's API instead of what the upstream said, before any of that was sent."""
    body = redact_keys(orjson.dumps(error_body(error, spec_of(attempt.target.client_api).shape)))
    return [answer_head(body, {":status": str(status), **attempt.failed(failure)}), SendBody(body)]


def unreadable(attempt: Attempt, error: GatewayError) -> list[ResponseReply]:
    """Answer for an upstream whose success cannot be understood."""
    failure = Failure.EMPTY if error.code == "empty_answer" else Failure.UNREADABLE
    return refusal(attempt, of_gateway(error), failure, status=502)


def empty_answer() -> UpstreamError:
    """Return the error for a success without anything in it."""
    return UpstreamError("The provider's answer was empty.", code="empty_answer")


def stream_head(rendered: Mapping[str, str] = MappingProxyType({})) -> SendHeaders:
    """Return the head of a stream of events that stands for the upstream's."""
    gone = ("content-length", "content-encoding")
    return SendHeaders(set_headers={"content-type": "text/event-stream", **rendered}, remove_headers=gone)


def answer_head(body: bytes, more: Mapping[str, str]) -> SendHeaders:
    """Return the head of a JSON body that stands for the upstream's."""
    changed = {"content-type": "application/json", "content-length": str(len(body)), **more}
    return SendHeaders(set_headers=changed, remove_headers=("content-encoding",))


class ErrorAnswer:
    """A status of 400 or more: buffered, rendered in the client's API, and marked if another model may succeed."""

    def __init__(self, attempt: Attempt, status: int, headers: Mapping[str, str]) -> None:
        self._attempt = attempt
        self._status = status
        self._code = code_of(headers.get(_ERROR_TYPE_HEADER, ""))
        self._retry_after = headers.get("retry-after", "")
        self._held = bytearray()

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Keep a piece."""
        self._held += data[: MAX_ERROR_BYTES - len(self._held)]
        return []

    def finish(self) -> list[ResponseReply]:
        """Tell the error."""
        body = bytes(self._held)
        failure = classify(parse_error(self._status, body, self._code))
        rendered = redact_keys(self._attempt.prepared.translation.error(self._status, body, code=self._code))
        marks = self._attempt.failed(failure, asks_to_wait=bool(self._retry_after))
        if failure is not Failure.CONTEXT_LENGTH and (self._status == 429 or self._status >= 500):
            marks.pop(RETRY_HEADER, None)  # The status says it all, and Envoy's retry policy knows what to do about it.
        if failure is Failure.REFUSED and self._status >= 500:
            marks[":status"] = "400"  # Final: it must not be tried again.
        return [answer_head(rendered, marks | self._wait()), SendBody(rendered)]

    def fail(self, _error: GatewayError) -> list[ResponseReply]:
        """Tell what was read."""
        return self.finish()

    def _wait(self) -> dict[str, str]:
        # Models that were not tried yet need not wait until this one has recovered.
        if self._attempt.target.has_others or not self._retry_after:
            return {}
        return {RETRY_AFTER_HEADER: self._retry_after}
