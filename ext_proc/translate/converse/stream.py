"""The state machine of Converse streams that all client APIs share; subclasses write the client's events.

Only calls are announced; text and reasoning begin with their first delta. messageStop has the stop reason, and is kept:
the usage follows in `metadata`, which ends the stream.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from ext_proc.apis.converse.usage import from_converse
from ext_proc.apis.errors import ProviderError
from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.converse.answer import answered_by, extra_fields
from ext_proc.translate.converse.citations import citation
from ext_proc.translate.json_fields import as_object, as_text
from ext_proc.translate.translation import Exchange

Events = list[JsonObject]


class ConverseStream(ABC):
    """The state machine of one stream, without the client's events; `index` is Converse's index of a block."""

    def __init__(self, exchange: Exchange) -> None:
        self.usage: Usage = NO_USAGE
        self.model = exchange.upstream_model
        self.closed = False
        self._exchange = exchange
        self._stopped: JsonObject | None = None
        """messageStop."""

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take one event."""
        out: Events = []
        for kind, given in event.items():
            holder = as_object(given, kind)
            match kind:
                case "contentBlockDelta":
                    self._piece(holder.get("contentBlockIndex"), as_object(holder.get("delta"), "delta"), out)
                case "messageStart":
                    self._start(out)
                case "contentBlockStart":
                    self._announce(holder.get("contentBlockIndex"), as_object(holder.get("start") or {}, "start"), out)
                case "contentBlockStop":
                    self._close(out)
                case "messageStop":
                    self._close(out)
                    self._stopped = holder
                case "metadata":
                    self._complete(holder, out)
        return out

    def end(self) -> Iterable[JsonObject]:
        """Process the end of the stream: complete if there is a stop reason, even without metadata."""
        out: Events = []
        self._complete({}, out)
        return out

    @abstractmethod
    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the client API's in-stream error."""

    def _announce(self, index: object, start: JsonObject, out: Events) -> None:
        if "toolUse" in start:
            use = as_object(start["toolUse"], "start.toolUse")
            name, ident = as_text(use.get("name"), "name"), as_text(use.get("toolUseId"), "toolUseId")
            self._call(index, ident, name, out)

    def _piece(self, index: object, delta: JsonObject, out: Events) -> None:
        for kind, given in delta.items():
            match kind:
                case "text" if given:
                    self._say(index, as_text(given, "text"), out)
                case "reasoningContent":
                    self._think(index, as_object(given, "reasoningContent"), out)
                case "toolUse":
                    self._argue(index, as_text(as_object(given, "toolUse").get("input"), "toolUse.input"), out)
                case "citation" if (made := citation(given)) is not None:
                    self._cite(index, made, out)

    def _complete(self, metadata: JsonObject, out: Events) -> None:
        if self._stopped is None:
            return
        self._start(out)
        self.usage = from_converse(metadata.get("usage"))
        self.model = answered_by(self._exchange, metadata.get("trace"))
        fields = self._stopped.get("additionalModelResponseFields")
        extra = extra_fields(self._exchange, {**metadata, "additionalModelResponseFields": fields})
        self._finish(self._stopped, metadata, extra, out)
        self.closed = True

    @abstractmethod
    def _start(self, out: Events) -> None:
        """Begin the answer, once."""

    @abstractmethod
    def _call(self, index: object, ident: str, name: str, out: Events) -> None:
        """Begin a call of a tool."""

    @abstractmethod
    def _argue(self, index: object, piece: str, out: Events) -> None:
        """Add a delta of a call's arguments."""

    @abstractmethod
    def _say(self, index: object, text: str, out: Events) -> None:
        """Add a delta of text."""

    @abstractmethod
    def _think(self, index: object, piece: JsonObject, out: Events) -> None:
        """Add a delta of reasoning: text, a signature, or encrypted reasoning."""

    @abstractmethod
    def _cite(self, index: object, citation: JsonObject, out: Events) -> None:
        """Add a citation, in the form of Messages, to the text."""

    @abstractmethod
    def _close(self, out: Events) -> None:
        """End the open block, if there is one."""

    @abstractmethod
    def _finish(self, stopped: JsonObject, metadata: JsonObject, extra: JsonObject, out: Events) -> None:
        """End the answer; `extra` are requested fields of Bedrock."""
