"""Base of all answers, and error answers. See `whole_answer` and `stream_answer`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Protocol

import orjson

from ext_proc.apis.errors import ProviderError, error_body, of_gateway
from ext_proc.apis.provider_errors import code_of, parse_error
from ext_proc.apis.registry import spec_of
from ext_proc.attempt.client_error import ClientError, most_useful
from ext_proc.attempt.events import ResponseReply, SendBody, SendHeaders
from ext_proc.attempt.failures import BETTERED_ELSEWHERE, Failure, classify, is_policy_refusal, own_fault
from ext_proc.attempt.history import AttemptHistory
from ext_proc.attempt.record import AttemptRecord
from ext_proc.attempt.target import AttemptTarget
from ext_proc.attempt.upstream_request import Prepared
from ext_proc.codec.key_redaction import redact_keys
from ext_proc.errors import GatewayError, UpstreamError
from ext_proc.routing.models.prices import ModelPrice, dollars
from protos.contract.headers import (
    COST_HEADER,
    HISTORY_HEADER,
    MODEL_HEADER,
    OWN_FAULT_HEADER,
    RETRY_AFTER_HEADER,
    RETRY_HEADER,
    VETO_HEADER,
)

_ERROR_TYPE_HEADER: Final = "x-amzn-errortype"
_OF_THE_ERROR: Final = ("retry-after", "retry-after-ms", "x-should-retry")
"""Headers that belong to a provider's error."""
MAX_ERROR_BYTES: Final = 1 << 20
"""Maximum of an error's body that is read."""


class Answer(Protocol):
    """Converts an upstream's body to the client's."""

    def feed(self, data: bytes) -> list[ResponseReply]:
        """Process a chunk.

        Raises:
            GatewayError: it cannot be read.
        """
        ...

    def finish(self) -> list[ResponseReply]:
        """Process the end of the body, and return the rest of the client's body.

        Raises:
            GatewayError: the body cannot be read.
        """
        ...

    def fail(self, error: GatewayError, /) -> list[ResponseReply]:
        """Abandon the answer, and return what the client gets instead of the rest."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The context that all answers of an attempt share."""

    target: AttemptTarget
    prepared: Prepared
    record: AttemptRecord
    elapsed: Callable[[], float]
    """Returns the seconds since the request was sent."""
    media_type: str = ""
    """Content type without parameters, in lower case."""
    price: ModelPrice | None = None
    """None: the model's price is unknown."""
    may_detach: bool = False
    """Whether the stage may detach from the answer."""

    def cost_head(self) -> dict[str, str]:
        """Return the header that says what the answer has cost, once its usage is recorded; none if nobody knows."""
        if self.price is None or not self.record.usage.total_tokens:
            return {}
        return {COST_HEADER: dollars(self.price.cost(self.record.usage))}

    def failure_of(self, error: ProviderError) -> Failure:
        """Classify the failure by the provider's error."""
        failure = classify(error)
        if failure is not Failure.REFUSED or is_policy_refusal(error):
            return failure
        fault = own_fault(error) if self.target.sends_our_key else ""
        if fault and not (fault == "model" and self.target.model.is_wildcard):
            self.record.own_fault = fault
            return Failure.OWN_FAULT
        return Failure.REFUSED if self.target.is_primary else Failure.NOT_TAKEN


def tell_failure(
    attempt: Attempt, failure: Failure, error: ClientError, *, asks_to_wait: bool = False, by_status: bool = False
) -> list[ResponseReply]:
    """Answer with the most useful error so far, and set the headers for a retry.

    With `by_status` Envoy's retry policy decides by the status.
    """
    target, history = attempt.target, attempt.target.history
    attempt.record.outcome = failure
    is_waited_for = _is_waited_for(attempt, failure, error)
    asks_to_wait = asks_to_wait or bool(error.retry_after and not error.is_ours)
    after = target.history_after(failure, attempt.elapsed(), asks_to_wait=asks_to_wait, is_waited_for=is_waited_for)
    # If the requested model rejects the request, the client gets that error.
    told = error if failure is Failure.REFUSED and target.is_primary else most_useful(history.error, error)
    marks = {HISTORY_HEADER: replace(after, error=told.shortened(target.client_api)).dump()}
    if _may_be_bettered(attempt, failure, after):
        marks |= {} if by_status else {OWN_FAULT_HEADER if failure is Failure.OWN_FAULT else RETRY_HEADER: failure}
    elif told is not error:
        marks[VETO_HEADER] = "true"
    if error.retry_after and not error.is_ours and (is_waited_for or not target.has_others):
        marks[RETRY_AFTER_HEADER] = error.retry_after
    body = told.body.encode()
    return [
        answer_head(body, _head_of(told) | marks, remove=("location",) if told is error else ("location", *_OF_THE_ERROR)),
        SendBody(body),
    ]


def _may_be_bettered(attempt: Attempt, failure: Failure, after: AttemptHistory) -> bool:
    if failure is Failure.CONTEXT_LENGTH:
        return attempt.target.has_others
    if failure in (Failure.NOT_TAKEN, Failure.OWN_FAULT):
        return bool(attempt.target.next_after(after))
    return failure in BETTERED_ELSEWHERE


def _is_waited_for(attempt: Attempt, failure: Failure, error: ClientError) -> bool:
    """Whether Envoy should wait for the model's `retry-after`, although another model could be attempted."""
    if error.is_ours or error.wait_seconds > attempt.target.bounds.wait:
        return False
    after = attempt.target.history_after(failure, 0.0, is_waited_for=True)
    return attempt.target.next_after(after) == attempt.target.model.name


def _head_of(error: ClientError) -> dict[str, str]:
    told = {":status": str(error.status), MODEL_HEADER: error.model}
    return told | ({"retry-after": error.retry_after} if error.retry_after else {})


def refusal(attempt: Attempt, error: ProviderError, failure: Failure, *, status: int) -> list[ResponseReply]:
    """Answer with an error in the client's API instead of the upstream's answer, of which nothing was sent yet."""
    body = redact_keys(orjson.dumps(error_body(error, spec_of(attempt.target.client_api).shape))).decode()
    return tell_failure(attempt, failure, ClientError(status=status, body=body, model=attempt.target.name))


def unreadable(attempt: Attempt, error: GatewayError) -> list[ResponseReply]:
    """Answer for an upstream whose successful answer is unreadable."""
    failure = Failure.EMPTY if error.code == "empty_answer" else Failure.UNREADABLE
    return tell_failure(attempt, failure, our_error(attempt, error, status=502))


def our_error(attempt: Attempt, error: GatewayError, *, status: int) -> ClientError:
    """Return one of the gateway's errors as the client would get it."""
    body = orjson.dumps(error_body(of_gateway(error), spec_of(attempt.target.client_api).shape)).decode()
    wait = error.headers.get("retry-after", "")
    return ClientError(status=status, body=body, retry_after=wait, model=attempt.target.name, is_ours=True)


def empty_answer() -> UpstreamError:
    """Return the error for an empty successful answer."""
    return UpstreamError("The provider's answer was empty.", code="empty_answer")


def stream_head(rendered: Mapping[str, str] = MappingProxyType({})) -> SendHeaders:
    """Return the headers of a stream that replaces the upstream's answer."""
    gone = ("content-length", "content-encoding")
    return SendHeaders(set_headers={"content-type": "text/event-stream", **rendered}, remove_headers=gone)


def answer_head(body: bytes, more: Mapping[str, str], *, remove: tuple[str, ...] = ()) -> SendHeaders:
    """Return the headers of a JSON body that replaces the upstream's."""
    changed = {"content-type": "application/json", "content-length": str(len(body)), **more}
    gone = tuple(name for name in ("content-encoding", *remove) if name not in changed)
    return SendHeaders(set_headers=changed, remove_headers=gone)


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
        """Render the error."""
        body = bytes(self._held)
        parsed = parse_error(self._status, body, self._code)
        failure = self._attempt.failure_of(parsed)
        rendered = redact_keys(self._attempt.prepared.translation.error(self._status, body, code=self._code))
        # Final: a content refusal must not be retried, whatever its status.
        status = 400 if failure is Failure.REFUSED and self._status >= 500 else self._status
        error = ClientError(
            status=status,
            body=rendered.decode(errors="replace"),
            retry_after=self._retry_after,
            model=self._attempt.target.name,
        )
        by_status = failure in (Failure.RATE_LIMITED, Failure.UPSTREAM_ERROR)
        return tell_failure(self._attempt, failure, error, by_status=by_status)

    def fail(self, _error: GatewayError) -> list[ResponseReply]:
        """Render what was read."""
        return self.finish()
