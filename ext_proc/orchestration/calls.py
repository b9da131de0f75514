"""Calls agents through Envoy's egress listener; answers are events or one whole body."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Final

from ext_proc.apis.api import Api
from ext_proc.apis.errors import ProviderError
from ext_proc.apis.provider_errors import parse_error, read_error
from ext_proc.apis.readers import PING, StreamEvent
from ext_proc.apis.registry import PATHS, spec_of
from ext_proc.attempt.local_reply import unanswered
from ext_proc.codec.json_body import JsonObject, parse_object, write_json
from ext_proc.continuation.ports import CutOff, Source, UpstreamStream
from ext_proc.errors import GatewayError, MalformedBody, UpstreamError
from ext_proc.filters.chain import run_chain
from ext_proc.filters.filter_answer import FilterAnswered
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent import Agent, Orchestrator
from ext_proc.translate.events_to_whole import whole_answer
from ext_proc.translate.registry import translation
from ext_proc.translate.stream import bad_answer
from ext_proc.translate.translation import CHAT_COMPLETIONS, Exchange, Translation, warnings_header
from ext_proc.translate.whole_to_events import stream_of
from protos.contract.headers import (
    LOCAL_REPLY_HEADER,
    REQUEST_ID_HEADER,
    TRACEPARENT_HEADER,
    TRACESTATE_HEADER,
    WARNINGS_HEADER,
)

MAX_WHOLE_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of a whole answer, which is buffered until it is complete."""

TRACE_HEADERS: Final = (TRACEPARENT_HEADER, TRACESTATE_HEADER, REQUEST_ID_HEADER)

Put = Callable[[list[JsonObject]], Awaitable[None]]
"""Receives events of a stream, or the body of a whole answer."""
Feed = Callable[[Put], Awaitable[None]]
"""Plays an agent's answer.

Raises:
    AgentFailed: there is no answer, or it is incomplete.
"""


class AgentFailed(Exception):
    """An agent did not answer, or its answer broke off."""

    def __init__(self, error: GatewayError, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        super().__init__(error.public_message)
        self.error = error
        self.headers = headers or {}
        """Of the agent's own error answer, if it gave one."""
        self.body = body


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCalls:
    """Calls agents on behalf of one request."""

    source: Source
    egress: Egress
    mcp_sessions: McpSessions
    api: str
    """The client's."""
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """The client's, without those of a hop."""
    is_stream: bool
    answer_id: str
    """Unique: ids that a translated answer lacks are made from it."""
    answer_headers: dict[str, str]
    """Of the head of the client's answer: what a translation leaves out is told there."""

    def feed(self, who: Agent | Orchestrator, body: JsonObject) -> Feed:
        """Return a feed that calls an agent or a model when played; the body is in the client's API."""
        return partial(self._ask_model, who, body) if isinstance(who, Orchestrator) else partial(self._ask, who, body)

    async def _ask(self, agent: Agent, body: JsonObject, put: Put) -> None:
        try:
            sent = await self._filtered(agent, write_json(body))
            api = agent.api_for(self.api)
            if api != self.api:
                await self._ask_in(api, agent, sent, put)
                return
            with closing(await self.source.ask(agent.route, self.path, self.headers, sent)) as answer:
                await self._read(answer, put)
        except FilterAnswered as answered:
            await put(self._answered(answered))
        except CutOff:
            raise AgentFailed(UpstreamError(f"The agent {agent.id} broke off its answer.", code="stream_cut_off")) from None
        except GatewayError as error:
            raise AgentFailed(error) from None

    async def _ask_in(self, api: str, agent: Agent, body: bytes, put: Put) -> None:
        """Ask an agent in an API that it speaks."""
        exchange = Exchange(request=parse_object(body), id=self.answer_id, created=int(time.time()))
        pair = translation(self.api, api, exchange)
        sent = write_json(pair.request(upstream_model=_model_of(exchange.request)))
        if exchange.warnings:
            told = [*filter(None, [self.answer_headers.get(WARNINGS_HEADER)]), *exchange.warnings]
            self.answer_headers[WARNINGS_HEADER] = warnings_header(told)
        with closing(await self.source.ask(agent.route, PATHS[Api(api)], self.headers, sent)) as answer:
            await self._read(_Translated(answer, pair), put)

    async def _ask_model(self, model: Orchestrator, body: JsonObject, put: Put) -> None:
        """Call a model by Chat Completions."""
        exchange = Exchange(request=body, id=self.answer_id, created=0, upstream_model=model.upstream_model)
        pair = translation(self.api, CHAT_COMPLETIONS, exchange)
        try:
            sent = write_json(pair.request(upstream_model=model.upstream_model))
            with closing(await self.source.ask(model.route, model.path, self._own_headers(), sent)) as answer:
                await self._read(_Translated(answer, pair), put)
        except CutOff:
            raise AgentFailed(UpstreamError(f"The model {model.model} broke off its answer.", code="stream_cut_off")) from None
        except GatewayError as error:
            raise AgentFailed(error) from None

    def _own_headers(self) -> dict[str, str]:
        """Return the headers of the gateway's own request, without the client's credentials."""
        trace = {name: self.headers[name] for name in TRACE_HEADERS if name in self.headers}
        return {**trace, "content-type": "application/json"}

    async def _filtered(self, agent: Agent, body: bytes) -> bytes:
        if not agent.input_filters:
            return body
        request = FilteredRequest(path=PATHS[Api(self.api)], headers=self.headers, body=body)
        return await run_chain(agent.input_filters, request, egress=self.egress, sessions=self.mcp_sessions)

    def _answered(self, answered: FilterAnswered) -> list[JsonObject]:
        """Return what a filter says in its agent's place."""
        now = int(time.time())
        try:
            if self.is_stream:
                return _events(self.api, answered.events(self.api, self.answer_id, now))
            return [answered.whole(self.api, self.answer_id, now)]
        except GatewayError as error:
            raise AgentFailed(error) from None

    async def _read(self, answer: UpstreamStream, put: Put) -> None:
        if LOCAL_REPLY_HEADER in answer.headers:
            raise AgentFailed(unanswered(answer.status))
        if answer.status != 200:
            body = await _whole(answer)
            said = parse_error(answer.status, body)
            raise AgentFailed(UpstreamError(said.message, status=answer.status, code=said.code), answer.headers, body)
        are_events = answer.headers.get("content-type", "").startswith("text/event-stream")
        if self.is_stream and are_events:
            await self._read_stream(answer, put)
        elif self.is_stream:
            await put(_events(self.api, stream_of(self.api, _parsed(await _whole(answer)))))
        elif are_events:
            await put([_sound(whole_answer(self.api, await _whole(answer)))])
        else:
            await put([_parsed(await _whole(answer))])

    async def _read_stream(self, answer: UpstreamStream, put: Put) -> None:
        reader = spec_of(self.api).new_reader()
        while chunk := await answer.chunk():
            if events := [_sound(event) for event in reader.feed(chunk)]:
                await put(events)
        if events := [_sound(event) for event in reader.finish()]:
            await put(events)


def _model_of(request: JsonObject) -> str:
    """Return the model that a request names; agents know by themselves what they ask, and are named one all the same."""
    model = request.get("model")
    return model if isinstance(model, str) else ""


class Draft:
    """A buffered answer that can be played again."""

    def __init__(self) -> None:
        self._came: list[JsonObject] = []

    async def put(self, came: list[JsonObject]) -> None:
        """See Put."""
        self._came.extend(came)

    async def play(self, put: Put) -> None:
        """See Feed."""
        await put(self._came)


class Recording:
    """Records an agent's answer to play it later, for agents that answer in parallel."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._queue: asyncio.Queue[list[JsonObject] | AgentFailed | None] = asyncio.Queue(_AHEAD)
        self.has_begun = asyncio.Event()
        """Set when there is new data, or at the end."""
        self.failure: AgentFailed | None = None

    async def run(self) -> None:
        """Record; raises only when it is cancelled."""
        try:
            await self._feed(self._put)
        except AgentFailed as failure:
            self.failure = failure
            await self._queue.put(failure)
        else:
            await self._queue.put(None)
        finally:
            self.has_begun.set()

    async def play(self, put: Put) -> None:
        """See Feed."""
        while (came := await self._queue.get()) is not None:
            if isinstance(came, AgentFailed):
                raise came
            await put(came)

    async def _put(self, came: list[JsonObject]) -> None:
        await self._queue.put(came)
        if any(event is not PING for event in came):
            self.has_begun.set()


class _Translated:
    """A model's answer in the client's API. See UpstreamStream."""

    def __init__(self, answer: UpstreamStream, pair: Translation) -> None:
        self._answer = answer
        self._pair = pair
        self._stream = pair.stream()
        self.status = answer.status
        self.headers = answer.headers
        self._is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
        self._has_ended = False

    async def chunk(self) -> bytes:
        """See UpstreamStream."""
        while not self._has_ended:
            if self._is_stream and self.status == 200:
                came = await self._answer.chunk()
                self._has_ended = not came
                if made := self._stream.feed(came) if came else self._stream.finish():
                    return made
            else:
                self._has_ended = True
                return self._whole(await _whole(self._answer))
        return b""

    def close(self) -> None:
        """See UpstreamStream."""
        self._answer.close()

    def _whole(self, body: bytes) -> bytes:
        return (
            self._pair.error(self.status, body) if self.status != 200 else write_json(self._pair.response(_parsed(body)).body)
        )


_AHEAD: Final = 4096
"""Maximum of chunks that are buffered ahead of the client; then Envoy applies back-pressure."""


async def _whole(answer: UpstreamStream) -> bytes:
    body = bytearray()
    while chunk := await answer.chunk():
        body += chunk
        if len(body) > MAX_WHOLE_BYTES:
            raise UpstreamError("The agent's answer is too long.", detail=f"more than {MAX_WHOLE_BYTES} bytes")
    return bytes(body)


def _events(api: str, stream: bytes) -> list[JsonObject]:
    reader = spec_of(api).new_reader()
    return [_sound(event) for event in (*reader.feed(stream), *reader.finish())]


def _parsed(body: bytes) -> JsonObject:
    try:
        return parse_object(body)
    except MalformedBody as error:
        raise bad_answer(error) from None


def _sound(event: StreamEvent) -> JsonObject:
    if isinstance(event, ProviderError):
        raise _failed(event)
    if not isinstance(event, dict):
        raise bad_answer(event)
    if event.get("type") == "response.failed":
        raise _failed(read_error(event.get("response")))
    return event


def _failed(said: ProviderError) -> UpstreamError:
    return UpstreamError(said.message, status=said.status or 502, code=said.code)
