"""Sends the parts to the client: as one stream while they arrive, or as one whole answer at the end."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, Protocol

from ext_proc.apis.errors import render_error
from ext_proc.apis.registry import shape_of
from ext_proc.codec.json_body import JsonObject, write_json
from ext_proc.continuation.transaction import Head
from ext_proc.errors import GatewayError, UpstreamError
from ext_proc.orchestration.calls import AgentFailed, Feed
from ext_proc.orchestration.merging import READ_WHOLE, WHOLE_NOTE, merge_whole, stream_merger
from ext_proc.orchestration.part import Part, StreamMerger
from ext_proc.translate.passthrough import IdentityStream
from ext_proc.translate.stream import write_event

Send = Callable[[Head | bytes], Awaitable[None]]

_EVENT_STREAM: Final = {"content-type": "text/event-stream", "cache-control": "no-cache"}


class Delivery(Protocol):
    """Builds one answer from parts."""

    parts: list[Part]
    """In order, including hidden ones."""
    headers: dict[str, str]
    """Response headers, which may be extended until the first data is sent."""

    async def play(self, agent: str, feed: Feed, *, shown: bool, labelled: bool) -> Part:
        """Add an agent's part; of a hidden one the client only gets the usage.

        Raises:
            AgentFailed: it is incomplete; its beginning was sent all the same.
        """
        ...

    async def note(self, text: str) -> None:
        """Add a note of the gateway in place of the last agent's part."""
        ...

    async def finish(self) -> None:
        """End the answer."""
        ...

    async def fail(self, failure: AgentFailed) -> None:
        """End the answer with an error: the agent's own, if nothing else was sent."""
        ...


class StreamDelivery:
    """Delivers by server-sent events. `headers` are the response headers, except the content type."""

    def __init__(
        self, api: str, request: JsonObject, answer_id: str, created: int, headers: dict[str, str], send: Send
    ) -> None:
        self.parts: list[Part] = []
        self.headers = headers
        self._new_merger: Callable[[], StreamMerger] = lambda: stream_merger(api, request, answer_id, created)
        self._merger = self._new_merger()
        self._api = api
        self._send = send
        self._has_head = False

    async def play(self, agent: str, feed: Feed, *, shown: bool, labelled: bool) -> Part:
        """See Delivery."""
        merger = self._merger if shown else self._new_merger()
        merger.begin(agent, labelled=labelled)
        part = merger.parts[-1]
        self.parts.append(part)

        async def put(events: list[JsonObject]) -> None:
            made = [one for event in events for one in merger.event(event)]
            if shown:
                await self._write(made)

        try:
            await feed(put)
        finally:
            left_open = list(merger.end())
        if shown:
            await self._write(left_open)
        if not part.is_complete:
            raise AgentFailed(UpstreamError(f"The agent {agent} broke off its answer.", code="stream_cut_off"))
        return part

    async def note(self, text: str) -> None:
        """See Delivery."""
        await self._write(self._merger.note(text))

    async def finish(self) -> None:
        """See Delivery."""
        self._merger.parts[:] = self.parts
        await self._write(self._merger.finish())

    async def fail(self, failure: AgentFailed) -> None:
        """See Delivery."""
        if self._has_head:
            await self._send(IdentityStream(self._api).abort(failure.error))
        else:
            await send_error(failure, self._api, self._send, self.headers)

    async def _write(self, events: Iterable[JsonObject]) -> None:
        data = b"".join(write_event(event, self._api) for event in events)
        if not data:
            return
        if not self._has_head:
            self._has_head = True
            await self._send(Head(200, {**self.headers, **_EVENT_STREAM}))
        await self._send(data)


class WholeDelivery:
    """Delivers one JSON body."""

    def __init__(self, api: str, answer_id: str, headers: dict[str, str], send: Send) -> None:
        self.parts: list[Part] = []
        self.headers = headers
        self._api = api
        self._answer_id = answer_id
        self._send = send
        self._shown: list[tuple[Part, JsonObject]] = []
        self._labelled = False
        self._playing = ""

    async def play(self, agent: str, feed: Feed, *, shown: bool, labelled: bool) -> Part:
        """See Delivery."""
        self._playing = agent
        bodies: list[JsonObject] = []

        async def put(came: list[JsonObject]) -> None:
            bodies.extend(came)

        await feed(put)
        part = READ_WHOLE[self._api](agent, bodies[-1])
        if not part.is_complete:
            raise AgentFailed(UpstreamError(f"The agent {agent} gave no answer.", code="bad_upstream_answer"))
        self.parts.append(part)
        if shown:
            self._labelled |= labelled
            self._shown.append((part, bodies[-1]))
        return part

    async def note(self, text: str) -> None:
        """See Delivery."""
        body = WHOLE_NOTE[self._api](text)
        self._shown.append((READ_WHOLE[self._api](self._playing, body), body))

    async def finish(self) -> None:
        """See Delivery."""
        body = write_json(merge_whole(self._api, self._shown, self._answer_id, labelled=self._labelled))
        headers = {**self.headers, "content-type": "application/json", "content-length": str(len(body))}
        await self._send(Head(200, headers))
        await self._send(body)

    async def fail(self, failure: AgentFailed) -> None:
        """See Delivery."""
        await send_error(failure, self._api, self._send, self.headers)


async def send_error(failure: AgentFailed, api: str, send: Send, headers: Mapping[str, str]) -> None:
    """Answer with an error: with the agent's own status and body if there are any, else with the gateway's."""
    error: GatewayError = failure.error
    if failure.body:
        own = {name: value for name, value in failure.headers.items() if name in ("content-type", "retry-after")}
        await send(Head(error.status, {**headers, **own, "content-length": str(len(failure.body))}))
        await send(failure.body)
        return
    refusal = render_error(error, shape_of(api))
    await send(Head(refusal.status, {**headers, **refusal.headers}))
    await send(refusal.body)
