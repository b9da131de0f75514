"""What a translation between a client's API and an upstream's API is.

A Translation belongs to one attempt at one exchange: it is made from the client's body, which it never changes, so that the
next attempt can start from the same body. It measures, logs and sends nothing, and takes ids and times as arguments.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from ext_proc.apis.usage import Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import GatewayError
from ext_proc.translate.origins import Origins
from protos.contract.quirks import Quirks

CHAT_COMPLETIONS = "chat_completions"
MESSAGES = "messages"
RESPONSES = "responses"
CONVERSE = "converse"
"""Amazon Bedrock's: of upstreams only."""
_LONGEST_HEADER: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a translation may know of the exchange that it serves."""

    request: JsonObject
    """The client's body, as it came."""
    id: str
    """Unique and free of prefixes (32 hex digits do): ids that the upstream does not give are made from it."""
    created: int
    """When the exchange began, in seconds since the epoch."""
    quirks: Quirks = field(default_factory=Quirks)
    """How the upstream differs from others that speak its API."""
    is_lossless: bool = False
    """Whether the upstream's body is one between two translations: tuning passes as it is, and extensions carry the rest."""
    warnings: list[str] = field(default_factory=list)
    """What was left out of the request that the client should know of, in its own terms."""
    upstream_model: str = ""
    """What the upstream is asked for: stands for the model that answered where its API does not say."""
    betas: tuple[str, ...] = ()
    """Names in the header `anthropic-beta`, for upstreams that want them in the body."""
    origins: Origins | None = None
    """Records what the parts of the upstream's body come from, where that is asked for."""

    def warn(self, message: str) -> None:
        """Note something that is left out of the request, once."""
        if message not in self.warnings:
            self.warnings.append(message)

    def note(self, made: JsonObject, where: str) -> None:
        """Note the place in the request that an object of the upstream's body comes from, if that is asked for."""
        if self.origins is not None:
            self.origins.note(made, where)


def warnings_header(warnings: Iterable[str]) -> str:
    """Return the value of the header that tells the client what was left out of its request."""
    return "; ".join(warnings)[:_LONGEST_HEADER].encode("ascii", "replace").decode()


def model_of(body: JsonObject, exchange: Exchange) -> str:
    """Return the model that an answer says it is from; the one that was asked if it does not say."""
    model = body.get("model")
    return model if isinstance(model, str) and model else exchange.upstream_model


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedBody:
    """An upstream's answer in the client's API."""

    body: JsonObject
    usage: Usage
    model: str
    """The model that answered."""


class StreamTranslator(Protocol):
    """Turns the bytes of an upstream's event stream into the client's, whatever the chunks. Never raises."""

    def feed(self, chunk: bytes) -> bytes:
        """Return the events that `chunk` completes; maybe none."""
        ...

    def finish(self) -> bytes:
        """Return what is due when the upstream ends: the terminal events, or an error if its answer is not complete."""
        ...

    def abort(self, error: GatewayError) -> bytes:
        """Return what is due when the upstream breaks: an error as the client's API has it in a stream."""
        ...

    @property
    def failed(self) -> bool:
        """The stream has ended with an error."""
        ...

    @property
    def usage(self) -> Usage:
        """Tokens reported so far."""
        ...

    @property
    def model(self) -> str:
        """The model that says it answers, "" as long as it did not say."""
        ...


class Translation(Protocol):
    """Both directions of one exchange."""

    def request(self, *, upstream_model: str) -> JsonObject:
        """Return the body for the upstream.

        Raises:
            UnsupportedFeature: the upstream's API has no place for something; `param` names it.
            MalformedBody: a field has a wrong type; `param` names it.
        """
        ...

    def response(self, body: JsonObject) -> TranslatedBody:
        """Return the client's view of a whole answer.

        Raises:
            UpstreamError: the answer is not one.
        """
        ...

    def error(self, status: int, body: bytes, *, code: str = "") -> bytes:
        """Return the client's view of an error answer, whatever its body is; `code` is what a header calls it."""
        ...

    def stream(self) -> StreamTranslator:
        """Return a translator for the events of one streamed answer."""
        ...
