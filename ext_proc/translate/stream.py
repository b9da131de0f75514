"""Stream translation: one state machine per pair, between the bytes of the upstream and of the client.

A machine turns events of one API into events of another: JSON objects, without bytes, so that two machines compose into a third
pair. PairStream is the shell around it: it parses, writes, and ensures that exactly one terminal event ends the stream.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

import orjson

from ext_proc.apis.errors import ProviderError, of_gateway
from ext_proc.apis.readers import CHAT_DONE, PING, StreamEvent, failure_in
from ext_proc.apis.registry import spec_of
from ext_proc.apis.usage import Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.codec.sse import encode_comment, encode_event
from ext_proc.errors import GatewayError, MalformedBody, UpstreamError
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES

CUT_OFF: Final = "The provider's stream ended before its answer was complete."


class Machine(Protocol):
    """Turns events of the upstream's API into events of the client's."""

    @property
    def usage(self) -> Usage:
        """Tokens reported so far."""
        ...

    @property
    def model(self) -> str:
        """The model named in the answer; "" until then."""
        ...

    @property
    def closed(self) -> bool:
        """Whether a terminal event was returned, which must be the last."""
        ...

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Process one event of the upstream (never a ping or an error)."""
        ...

    def end(self) -> Iterable[JsonObject]:
        """Process the end of the upstream's stream: return the terminal events if the answer is complete, nothing otherwise."""
        ...

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the client API's in-stream error."""
        ...


class PairStream:
    """A StreamTranslator around a machine."""

    def __init__(self, machine: Machine, *, client_api: str, upstream_api: str) -> None:
        self._machine = machine
        self.failed = False
        self._client_api = client_api
        self._reader = spec_of(upstream_api).new_reader()

    def feed(self, chunk: bytes) -> bytes:
        """Return the client's bytes for the events that `chunk` completes."""
        out: list[bytes] = []
        if self._machine.closed:
            return b""
        try:
            for event in self._reader.feed(chunk):
                if self._machine.closed:
                    break
                out.append(self._write(self._one(event)))
        except MalformedBody as error:
            out.append(self.abort(bad_answer(error)))
        except GatewayError as error:
            out.append(self.abort(error))
        return b"".join(out)

    def finish(self) -> bytes:
        """Return the terminal events, or an error if the upstream's answer is not complete."""
        if self._machine.closed:
            return b""
        try:
            last = b"".join(self._write(self._one(event)) for event in self._reader.finish())
        except MalformedBody:
            last = b""  # A partial event: the stream was truncated.
        if not self._machine.closed:
            last += self._write(self._machine.end())
        return last if self._machine.closed else last + self.abort(UpstreamError(CUT_OFF, code="stream_cut_off"))

    def abort(self, error: GatewayError) -> bytes:
        """Return the client API's error event, unless the stream has ended already."""
        return b"" if self._machine.closed else self._write(self._fail(of_gateway(error)))

    @property
    def usage(self) -> Usage:
        """Tokens reported so far."""
        return self._machine.usage

    @property
    def model(self) -> str:
        """The model named in the answer."""
        return self._machine.model

    def _one(self, event: StreamEvent) -> Iterable[JsonObject]:
        if isinstance(event, dict):
            # The last event of a failed Responses stream; the machine reads its usage.
            self.failed = self.failed or event.get("type") == "response.failed"
            return (PING,) if event is PING else self._machine.event(event)
        if isinstance(event, ProviderError):
            return self._fail(event)
        raise event

    def _fail(self, error: ProviderError) -> Iterable[JsonObject]:
        self.failed = True
        return self._machine.fail(error)

    def _write(self, events: Iterable[JsonObject]) -> bytes:
        return b"".join(write_event(event, self._client_api) for event in events)


def write_event(event: JsonObject, api: str) -> bytes:
    """Return one event as `api` writes it."""
    if event is PING and api != MESSAGES:
        return encode_comment("ping")
    if event is CHAT_DONE:
        return b"data: [DONE]\n\n"
    name = "" if api == CHAT_COMPLETIONS else str(event.get("type", ""))
    try:
        return encode_event(orjson.dumps(event), name)
    except TypeError:  # Too deep to serialise.
        raise MalformedBody("nested too deep") from None


def bad_answer(error: MalformedBody) -> UpstreamError:
    """Return the error for an answer that violates its API: the provider's fault, not the client's."""
    return UpstreamError(
        "The provider's answer could not be understood.", code="bad_upstream_answer", detail=error.public_message
    )


class Chain:
    """Two machines in sequence: the upstream's events pass `inner`, then `outer`, to the client."""

    def __init__(self, inner: Machine, outer: Machine) -> None:
        self._inner = inner
        self._outer = outer

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take one event of the upstream."""
        return self._pass(self._inner.event(event))

    def end(self) -> Iterable[JsonObject]:
        """Take the end of the upstream's stream."""
        out = self._pass(self._inner.end())
        if self._inner.closed and not self._outer.closed:
            out.extend(self._outer.end())
        return out

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the client API's in-stream error."""
        self._inner.fail(error)
        return self._outer.fail(error)

    @property
    def usage(self) -> Usage:
        """Tokens as the upstream reported them."""
        return self._inner.usage

    @property
    def model(self) -> str:
        """The model named in the answer."""
        return self._inner.model

    @property
    def closed(self) -> bool:
        """The client has its terminal event."""
        return self._outer.closed

    def _pass(self, events: Iterable[JsonObject]) -> list[JsonObject]:
        out: list[JsonObject] = []
        for event in events:
            if self._outer.closed:
                break
            if event is PING:
                out.append(PING)
            elif (error := failure_in(event)) is not None:
                out.extend(self._outer.fail(error))
            else:
                out.extend(self._outer.event(event))
        return out


class Renamed:
    """A machine that restores the client's names of tools."""

    def __init__(self, machine: Machine, restore: Callable[[JsonObject], None]) -> None:
        self._machine = machine
        self._restore = restore

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take one event of the upstream."""
        self._restore(event)
        return self._machine.event(event)

    def end(self) -> Iterable[JsonObject]:
        """Take the end of the upstream's stream."""
        return self._machine.end()

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the client API's in-stream error."""
        return self._machine.fail(error)

    @property
    def usage(self) -> Usage:
        """Tokens as the upstream reported them."""
        return self._machine.usage

    @property
    def model(self) -> str:
        """The model named in the answer."""
        return self._machine.model

    @property
    def closed(self) -> bool:
        """The client has its terminal event."""
        return self._machine.closed
