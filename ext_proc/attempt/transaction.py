"""One attempt: events in, replies out. Builds the upstream's request, and reads its answer for the client and for Envoy.

Envoy's order is AttemptRequest, perhaps RequestTrailers, then ResponseHeaders, ResponseBody any number of times, perhaps
ResponseTrailers. An attempt that Envoy resets ends in the middle. Knows no transport, and has no timers: Envoy's timeouts
suffice, because the response headers are not sent before the first content.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

from ext_proc.apis.errors import render_error
from ext_proc.apis.registry import shape_of
from ext_proc.attempt.answer_kinds import kind_of_answer
from ext_proc.attempt.answers import Answer, Attempt
from ext_proc.attempt.client_error import ClientError
from ext_proc.attempt.ejections import Ejections
from ext_proc.attempt.events import (
    AttemptEvent,
    AttemptHeaders,
    AttemptReply,
    AttemptRequest,
    Detach,
    PlainResponse,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseReply,
    ResponseTrailers,
    SendBody,
    SendHeaders,
    SendTrailers,
)
from ext_proc.attempt.record import CANNOT_CARRY, GATEWAY_ERROR, AttemptRecord
from ext_proc.attempt.stream_answer import StreamAnswer
from ext_proc.attempt.streamed_mode import Seen, StreamedModeReplies
from ext_proc.attempt.target import AttemptTarget, NoModelLeft, plain_target, resolve_target
from ext_proc.attempt.upstream_request import Prepared, prepare, sent_as_it_is
from ext_proc.codec.content_encoding import Decoder, Plain, decoder
from ext_proc.errors import GatewayError, InternalError, RequestError, UpstreamError
from ext_proc.events import Continue, Respond
from ext_proc.plan.plan import Plan
from ext_proc.routing.models.prices import price_of
from ext_proc.translate.translation import warnings_header
from protos.contract.headers import (
    ENTRY_HEADER,
    HISTORY_HEADER,
    MODEL_HEADER,
    REQUEST_ID_HEADER,
    RETRY_HEADER,
    UNAVAILABLE_HEADER,
    VETO_HEADER,
    WARNINGS_HEADER,
)
from protos.contract.metadata import METADATA_API, METADATA_SESSION


class AttemptTransaction:
    """Handles the events of one attempt, under the configuration that was current when it began."""

    def __init__(
        self,
        plan: Plan | None,
        ejections: Ejections | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self.record = AttemptRecord()
        self.is_done = False
        """Whether the last reply was the last."""
        self._plan = plan
        self._ejections = ejections or Ejections()
        self._monotonic, self._now, self._new_id = monotonic, now, new_id
        self._head: AttemptHeaders | None = None
        self._target: AttemptTarget | None = None
        self._prepared: Prepared | None = None
        self._sent_at = 0.0
        self._answer: Answer | None = None
        self._paces: StreamedModeReplies | None = None
        self._seen: Seen | None = None
        self._has_failed = False
        self._is_plain = False
        """Whether the answer is one of a plain route, whose request was not seen here."""
        self._decoder: Decoder | None = None

    @property
    def joins_chunks(self) -> bool:
        """Whether chunks that arrived together may be handled as one: not if each needs its own reply."""
        return self._paces is None

    def handle(self, event: AttemptEvent) -> list[AttemptReply]:
        """Answer an event. GatewayErrors become answers; any other exception is a bug."""
        match event:
            case AttemptRequest():
                return [self._request(event)]
            case RequestTrailers():
                return [Continue()]
            case PlainResponse():
                self._adopt(event)
                return self.handle(event.head)
            case ResponseHeaders() | ResponseBody() | ResponseTrailers():
                self._seen = event
                return self._converted([self._warned(reply) for reply in self._response(event)])

    def _adopt(self, event: PlainResponse) -> None:
        """Read an answer of a plain route. What is unknown here passes."""
        self._is_plain = True
        self._sent_at = self._monotonic()
        self._target = plain_target(event.metadata, self._plan)
        if self._target is not None:
            self._prepared = sent_as_it_is(self._target, exchange_id=self._new_id(), now=int(self._now()))
            self._describe(self._target)

    def _warned(self, reply: ResponseReply) -> ResponseReply:
        """Add warnings about omitted parts of the request to the response headers."""
        if not self.record.warnings or not isinstance(reply, SendHeaders):
            return reply
        return replace(reply, set_headers={**reply.set_headers, WARNINGS_HEADER: warnings_header(self.record.warnings)})

    def _response(self, event: Seen) -> list[ResponseReply]:
        match event:
            case ResponseHeaders():
                return self._respond(event)
            case ResponseBody():
                return self._pass(event.data, ends_stream=event.ends_stream)
            case ResponseTrailers():
                self.is_done = True
                return [*([] if self._has_failed else self._complete()), SendTrailers()]

    def _named(self, reply: ResponseReply) -> ResponseReply:
        """Add the name of the answering model to the response headers."""
        if self._target is None or not isinstance(reply, SendHeaders):
            return reply
        if self._is_plain:  # The route names the model, and there is no retry.
            told = {name: value for name, value in reply.set_headers.items() if not name.startswith("x-")}
            return replace(reply, set_headers=told)
        return replace(reply, set_headers={**_names(self._target), **reply.set_headers})

    def _converted(self, replies: list[ResponseReply]) -> list[AttemptReply]:
        """Convert the replies to the form that Envoy expects for this response."""
        replies = [self._named(reply) for reply in replies]
        if self._paces is None or self._seen is None:
            return [*replies]
        paced = self._paces.convert(self._seen, replies)
        # Each further chunk still needs a reply.
        self.is_done = self._paces.is_over
        return paced

    def give_up(self) -> list[AttemptReply]:
        """Answer after a bug: a partial answer must not look complete."""
        error = InternalError("The gateway failed to handle the answer.")
        self._has_failed = True
        if self._answer is not None:
            self.is_done = True
            return self._converted(_ended(self._answer.fail(error)))
        refusal = self._refuse(error)
        if self.record.status == 0:
            return [refusal]
        # No ImmediateResponse: Envoy crashes on one in this phase.
        head = SendHeaders(
            set_headers={**refusal.headers, ":status": str(refusal.status)}, remove_headers=("content-encoding",)
        )
        return self._converted([head, SendBody(refusal.body, ends_stream=True)])

    def _request(self, event: AttemptRequest) -> Continue | Respond:
        try:
            self._begin(event.head)
            return self._send(event.body)
        except GatewayError as error:
            return self._refuse(error)

    def _refuse(self, error: GatewayError) -> Respond:
        """Answer instead of an upstream; another attempt follows only if a model is left that can carry the request."""
        self.is_done = True
        self.record.outcome = CANNOT_CARRY if isinstance(error, RequestError | UpstreamError) else GATEWAY_ERROR
        marks = {VETO_HEADER: "true"}
        before = error.before if isinstance(error, NoModelLeft) else None
        if isinstance(error, RequestError) and self._target is not None:
            marks = self._pass_over(self._target) | _names(self._target)
            before = self._target.history.error
            if before is None and not {*self._target.history.attempted} <= {*self._target.history.cannot_carry}:
                error = _no_carrier_left(self._target, error)
        if before is not None:
            return _again(before, marks)
        refusal = render_error(error, shape_of(self._head.metadata.get(METADATA_API, "") if self._head else ""))
        return replace(refusal, headers={**refusal.headers, **marks})

    def _pass_over(self, target: AttemptTarget) -> dict[str, str]:
        """Return the retry headers for a model that cannot carry the request; none for the requested model."""
        history = target.history_after(CANNOT_CARRY, 0.0)
        if target.is_first_choice or not target.next_after(history):
            return {VETO_HEADER: "true"}
        return {RETRY_HEADER: CANNOT_CARRY, HISTORY_HEADER: history.dump()}

    def _begin(self, event: AttemptHeaders) -> None:
        self._head = event
        if event.may_detach:
            self._paces = StreamedModeReplies()
        record = self.record
        record.request_id = event.headers.get(REQUEST_ID_HEADER, "")[:128]
        record.session = event.metadata.get(METADATA_SESSION, "")
        self._target = target = resolve_target(event, self._plan, self._ejections)
        self._describe(target)
        if target.history.last not in ("", target.model.name):
            record.failed_over_from, record.failed_over_for = target.history.last, target.history.failure

    def _describe(self, target: AttemptTarget) -> None:
        record = self.record
        record.model, record.api, record.client_api = target.model.name, target.api, target.client_api
        record.number, record.upstream_model, record.provider = target.number, target.upstream_model, target.model.provider

    def _send(self, body: bytes) -> Continue:
        self._sent_at = self._monotonic()
        if self._target is None or self._head is None:
            return Continue()
        self._prepared = prepare(
            self._target,
            body,
            headers=self._head.headers,
            exchange_id=self._new_id(),
            now=int(self._now()),
        )
        self._target = self._prepared.target
        self.record.api, self.record.warnings = self._target.api, self._prepared.warnings
        return self._prepared.reply

    def _respond(self, event: ResponseHeaders) -> list[ResponseReply]:
        headers = event.headers
        self.record.status = status = int(headers.get(":status", "0"))
        self._decoder = decoder(headers.get("content-encoding", ""))
        if self._target is None or self._prepared is None:
            self.is_done = event.ends_stream
            return [SendHeaders(), Detach()] if self._paces else [SendHeaders()]
        is_as_it_came = self._prepared.is_identity and isinstance(self._decoder, Plain)
        attempt = Attempt(
            target=self._target,
            prepared=self._prepared,
            record=self.record,
            elapsed=lambda: self._monotonic() - self._sent_at,
            media_type=_media_type(headers),
            price=price_of(self._plan.prices, self._target.name, self._target.model.name) if self._plan else None,
            may_detach=self._paces is not None and is_as_it_came,
        )
        if headers.get(UNAVAILABLE_HEADER) == "true":
            self._ejections.note(self._target.model.name, self._target.api)
        self._answer = answer = kind_of_answer(attempt, status, headers)
        if event.ends_stream:
            self.is_done = True
            replies = _ended(self._complete())
            return replies if self._paces else _headed(replies)
        return answer.begin() if isinstance(answer, StreamAnswer) else []

    def _pass(self, data: bytes, *, ends_stream: bool) -> list[ResponseReply]:
        self.is_done = ends_stream
        if self._has_failed:
            return []
        if self._answer is None:
            return [SendBody(data, ends_stream=ends_stream)]
        try:
            replies = self._answer.feed(self._decoded(data)) if data else []
        except GatewayError as error:
            self.is_done = self._has_failed = True
            return _ended(self._answer.fail(error))
        return _ended([*replies, *self._complete()]) if ends_stream else replies

    def _decoded(self, data: bytes) -> bytes:
        if self._decoder is None:
            raise UpstreamError("The provider's answer is compressed in an unknown way.", code="bad_upstream_answer")
        return self._decoder.decode(data)

    def _complete(self) -> list[ResponseReply]:
        if self._answer is None:
            return []
        try:
            return self._answer.finish()
        except GatewayError as error:
            return self._answer.fail(error)


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _again(error: ClientError, marks: Mapping[str, str]) -> Respond:
    """Answer with the error of a previous attempt."""
    told = {"content-type": "application/json", **({"retry-after": error.retry_after} if error.retry_after else {})}
    return Respond(status=error.status, headers={**told, **marks, MODEL_HEADER: error.model}, body=error.body.encode())


def _names(target: AttemptTarget) -> dict[str, str]:
    """Return the headers that name the answering model."""
    return {MODEL_HEADER: target.name, ENTRY_HEADER: target.model.name}


def _no_carrier_left(target: AttemptTarget, error: RequestError) -> UpstreamError:
    """Return the error for a request that only its unavailable first model can carry."""
    return UpstreamError(
        f"The model failed, and `{target.name}`, which is asked instead, cannot take the request: {error.public_message}",
        status=503,
        code="no_model_left",
        param=error.param,
    )


def _headed(replies: list[ResponseReply]) -> list[ResponseReply]:
    """Let the body go with the head: Envoy waits for ever where a head that came alone gets a body in pieces."""
    body = b"".join(reply.data for reply in replies if isinstance(reply, SendBody))
    return [replace(reply, body=body) for reply in replies if isinstance(reply, SendHeaders)]


def _ended(replies: list[ResponseReply]) -> list[ResponseReply]:
    """Mark the last chunk as the end of the stream."""
    if replies and isinstance(last := replies[-1], SendBody):
        return [*replies[:-1], SendBody(last.data, ends_stream=True)]
    return [*replies, SendBody(b"", ends_stream=True)]
