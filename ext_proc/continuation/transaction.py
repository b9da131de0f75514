"""One streamed answer: read through the egress listener, and resumed on another model if it breaks off.

The first request goes to the chain, where Envoy fails over until there is content. Then models resume it in order,
each at most once in each way. Knows no transport.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Final

from ext_proc.apis.errors import render_error
from ext_proc.apis.registry import error_shape
from ext_proc.attempt import record
from ext_proc.attempt.failover_policy import in_order
from ext_proc.attempt.local_reply import unanswered
from ext_proc.attempt.record import AttemptRecord
from ext_proc.continuation.ports import CutOff, Source, UpstreamStream
from ext_proc.continuation.resume import ResumeRequest, resume_requests
from ext_proc.continuation.splicer import Broken, Splicer
from ext_proc.continuation.transcript import Mismatch
from ext_proc.errors import GatewayError, NotReady, RequestError, UpstreamError
from ext_proc.plan.plan import Plan
from ext_proc.plan.targets import Member, ResumableRoute, Target
from protos.contract.headers import ATTEMPTS_HEADER, DECISION_HEADER, LOCAL_REPLY_HEADER, MODEL_HEADER, UNCOUNTED_HEADER
from protos.contract.metadata import (
    FORWARDED_METADATA_HEADERS,
    METADATA_DECISION,
    METADATA_ROUTE,
    METADATA_UPSTREAM_MODEL,
    METADATA_WATCH,
    WATCH_BEGINNING,
)

_FORWARDED: Final = frozenset(FORWARDED_METADATA_HEADERS.values())
_HOP_BY_HOP: Final = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"})
_CLIENT_ADDRESS: Final = frozenset({"x-forwarded-for", "x-envoy-external-address", "x-envoy-internal"})
"""Envoy honours `x-envoy-*` only in requests without signs of a remote client."""

_MAX_RETRIES: Final = "x-envoy-max-retries"
_TOTAL_MS: Final = "x-envoy-upstream-rq-timeout-ms"
_OF_THE_FIRST: Final = frozenset({_MAX_RETRIES, _TOTAL_MS, "x-envoy-retry-on"})
"""Limits of a trusted client for the whole answer: enforced by Envoy for the first request, and here when it is resumed."""

_NOT_ITS_OWN: Final = _HOP_BY_HOP | _FORWARDED | _CLIENT_ADDRESS

COMPLETED: Final = "completed"
CUT_OFF: Final = "cut_off"
"""It resumed, and broke off or timed out."""
MISMATCH: Final = "mismatch"
"""It did not repeat the client's answer."""
REFUSED: Final = "refused"
"""It sent no stream."""


@dataclass(frozen=True, slots=True)
class Head:
    """The headers of the answer."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """The outcome of one attempt to resume, for the metrics: configured names and constants."""

    from_model: str
    to_model: str
    method: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """The client's request, with the metadata of the decide stage."""

    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    body: bytes


Send = Callable[[Head | bytes], Awaitable[None]]
"""Sends a part of the answer to the client, at its pace."""


@dataclass(frozen=True, slots=True)
class _Course:
    """The context of one answer."""

    resumable: ResumableRoute
    splicer: Splicer
    targets: Mapping[tuple[str, str], Target]
    source: Source
    send: Send


class ResumableAnswer:
    """The answer to one request whose stream may be resumed on other models."""

    def __init__(self, plan: Plan | None, source: Source | None, request: StreamRequest) -> None:
        self.resumptions: list[Resumption] = []
        self.heard: list[AttemptRecord] = []
        """Records attempts that have detached from their streams: outcome and usage."""
        self._plan = plan
        self._source = source
        self._request = request
        self._route = request.metadata.get(METADATA_ROUTE, "")
        self._path = request.headers.get(":path", "/")
        self._outcome = ""
        wanted = _whole_number(request.headers.get(_MAX_RETRIES))
        self._retries = wanted if wanted is not None else plan.stream_retries if plan else None
        """How many attempts may still follow the first one; None if neither the client nor the listener says."""
        self._seconds = (_whole_number(request.headers.get(_TOTAL_MS)) or 0) / 1000 or None
        self._has_begun = False
        """Whether the client has received the headers."""

    async def give(self, send: Send) -> None:
        """Send the headers, then the body.

        Raises:
            CutOff: a whole answer is truncated; it must not look complete.
        """
        try:
            course = self._course(send)
            async with asyncio.timeout(self._seconds):
                await self._give(course)
        except TimeoutError:
            late = UpstreamError("The answer was not complete in time.", status=504, code="upstream_timeout")
            await (send(course.splicer.abort(late)) if self._has_begun else self._refuse(late, send))
        except GatewayError as error:
            await self._refuse(error, send)

    async def _refuse(self, error: GatewayError, send: Send) -> None:
        refusal = render_error(error, error_shape(self._path))
        await send(Head(refusal.status, refusal.headers))
        await send(refusal.body)

    def _course(self, send: Send) -> _Course:
        resumable = self._plan.resumable.get(self._route) if self._plan else None
        if self._plan is None or resumable is None or self._source is None:
            raise NotReady("The gateway's configuration is changing.", headers={"retry-after": "1"})
        members = in_order(resumable.members, self._request.metadata)
        resumable = replace(resumable, members=members)
        return _Course(resumable, Splicer(resumable.client_api), self._plan.targets, self._source, send)

    def _headers(self, route: str) -> dict[str, str]:
        own = {name: value for name, value in self._request.headers.items() if name[0] != ":" and name not in _NOT_ITS_OWN}
        if odd := next((name for name, value in own.items() if not _is_utf8(value)), None):
            # aiohttp cannot write other bytes. Rejected, since a provider might need the header.
            raise RequestError(f"The header `{odd}` is not UTF-8, as it must be where a stream may be continued.", param=odd)
        metadata = {
            **self._request.metadata,
            METADATA_ROUTE: route,
            # All events are parsed here anyway.
            METADATA_WATCH: WATCH_BEGINNING,
        }
        return own | {header: metadata[key] for key, header in FORWARDED_METADATA_HEADERS.items() if metadata.get(key)}

    async def _give(self, course: _Course) -> None:
        headers = self._headers(self._route)
        with closing(await self._ask(course, self._route, headers, self._request.body)) as answer:
            is_stream = answer.status == 200 and answer.headers.get("content-type", "").startswith("text/event-stream")
            self._has_begun = is_stream
            await course.send(self._head(answer, is_stream=is_stream))
            if not is_stream:
                while chunk := await answer.chunk():
                    await course.send(chunk)
                return
            await self._pass(course, answer)
            model = answer.headers.get(MODEL_HEADER, "")
            self._count_retries((_whole_number(answer.headers.get(ATTEMPTS_HEADER)) or 1) - 1)
        if not course.splicer.is_complete:
            await self._go_on(course, _configured(model, course.resumable.members))
        if last := course.splicer.terminator():
            await course.send(last)

    async def _ask(self, course: _Course, route: str, headers: Mapping[str, str], body: bytes) -> UpstreamStream:
        """Send a request; raise an error for a local reply of Envoy."""
        try:
            answer = await course.source.ask(route, self._path, headers, body)
        except CutOff:
            raise unanswered(503) from None
        if LOCAL_REPLY_HEADER in answer.headers:
            answer.close()
            raise unanswered(answer.status)
        return answer

    def _head(self, answer: UpstreamStream, *, is_stream: bool) -> Head:
        hidden = _HOP_BY_HOP if is_stream else _HOP_BY_HOP - {"content-length"}
        shown = answer.headers.keys() - hidden - {UNCOUNTED_HEADER}
        headers = {name: value for name, value in answer.headers.items() if name in shown}
        decision = self._request.metadata.get(METADATA_DECISION)
        return Head(answer.status, headers | ({DECISION_HEADER: decision} if decision else {}))

    async def _pass(self, course: _Course, answer: UpstreamStream) -> None:
        """Send the client's part of one stream, until it ends, breaks off, or does not match."""
        self._outcome = CUT_OFF
        try:
            await self._pass_chunks(course, answer)
        except (CutOff, TimeoutError):
            pass
        except (Broken, Mismatch, GatewayError) as stopped:
            self._outcome = MISMATCH if isinstance(stopped, Mismatch) else CUT_OFF
            if before := course.splicer.before_stop():
                await course.send(before)
        finally:
            if course.splicer.is_complete:
                self._outcome = COMPLETED
            self._count(course, answer)

    async def _pass_chunks(self, course: _Course, answer: UpstreamStream) -> None:
        splicer, has_more = course.splicer, True
        now, silence = asyncio.get_running_loop().time, course.resumable.silence_seconds
        left = silence
        # One timeout for all chunks, because there is one per token. It is paused while the client reads.
        async with asyncio.timeout(None) as patience:
            while has_more and not splicer.has_ended:
                began, heard = now(), splicer.events
                patience.reschedule(began + left)
                chunk = await answer.chunk()
                patience.reschedule(None)
                left -= now() - began
                has_more = bool(chunk)
                if data := splicer.feed(chunk) if has_more else splicer.finish():
                    await course.send(data)
                if splicer.events != heard:  # Keep-alives do not count as progress.
                    left = silence

    def _count(self, course: _Course, answer: UpstreamStream) -> None:
        if UNCOUNTED_HEADER not in answer.headers:
            return
        model = _configured(answer.headers.get(MODEL_HEADER, ""), course.resumable.members)
        outcome = record.COMPLETED if self._outcome == COMPLETED else record.CUT_OFF
        self.heard.append(AttemptRecord(model=model, outcome=outcome, usage=course.splicer.usage.usage))

    async def _go_on(self, course: _Course, current: str) -> None:
        splicer = course.splicer
        for member in course.resumable.members:
            if member.model == current or splicer.is_complete or splicer.merger.transcript.is_full or self._retries == 0:
                continue
            await self._by(member, course, current)
            if self._outcome == CUT_OFF:
                current = member.model
        if not splicer.is_complete:
            message = "The answer was cut off, and no other model could continue it."
            await course.send(splicer.abort(UpstreamError(message, code="stream_cut_off")))

    async def _by(self, member: Member, course: _Course, current: str) -> None:
        """Resume on one model, in each way that it supports, until one succeeds."""
        splicer, target = course.splicer, course.targets[member.model, member.resumed_api]
        # What of a wildcard's models is asked for.
        method = target.quirks.of(self._request.metadata.get(METADATA_UPSTREAM_MODEL, "")).resume_method
        splicer.begin()
        for way in resume_requests(splicer.merger, member, method, course.resumable.client_api, self._request.body):
            if self._retries == 0:
                return
            self._count_retries(1)
            splicer.merger.give(way.given)
            await self._resume(way, course)
            self.resumptions.append(
                Resumption(from_model=current, to_model=member.model, method=way.method, outcome=self._outcome)
            )
            if self._outcome in (COMPLETED, CUT_OFF):
                return
            splicer.begin()

    def _count_retries(self, count: int) -> None:
        if self._retries is not None:
            self._retries = max(0, self._retries - count)

    async def _resume(self, way: ResumeRequest, course: _Course) -> None:
        self._outcome = REFUSED
        route = way.member.resumed
        headers = {name: value for name, value in self._headers(route).items() if name not in _OF_THE_FIRST}
        with suppress(GatewayError), closing(await self._ask(course, route, headers, way.body)) as answer:
            if answer.status == 200:
                await self._pass(course, answer)


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and len(text) < 10 and text.isascii() and text.isdigit() else None


def _configured(name: str, members: tuple[Member, ...]) -> str:
    """Return the configured name of the answering model: it may belong to a wildcard."""
    for member in members:
        if member.model == name or (member.model.endswith("*") and name.startswith(member.model[:-1])):
            return member.model
    return ""


def _is_utf8(value: str) -> bool:
    """Whether a header is UTF-8: other bytes are kept as surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
