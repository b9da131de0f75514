"""The interface of translations between a client's API and an upstream's API.

A Translation belongs to one attempt at one exchange. It never changes the client's body, so that the next attempt can start
from the same body. It has no side effects, and gets ids and times as arguments.
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
"""Amazon Bedrock's API, which only upstreams use."""
_LONGEST_HEADER: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The context of the exchange for a translation."""

    request: JsonObject
    """The client's body, unchanged."""
    id: str
    """Unique, without a prefix, such as 32 hex digits: the basis of ids that the upstream does not provide."""
    created: int
    """When the exchange began, in seconds since the epoch."""
    quirks: Quirks = field(default_factory=Quirks)
    """The upstream's quirks."""
    is_lossless: bool = False
    """Whether the upstream's body is between two translations: tuning passes unchanged, and extensions carry the rest."""
    warnings: list[str] = field(default_factory=list)
    """Warnings about omitted parts of the request, in the client's terms."""
    upstream_model: str = ""
    """The requested upstream model, used if the answer does not name one."""
    betas: tuple[str, ...] = ()
    """Names in the header `anthropic-beta`, for upstreams that expect them in the body."""
    origins: Origins | None = None
    """Records the origins of the parts of the upstream's body, if enabled."""

    def warn(self, message: str) -> None:
        """Record once that something is omitted from the request."""
        if message not in self.warnings:
            self.warnings.append(message)

    def note(self, made: JsonObject, where: str) -> None:
        """Record the place in the request from which an object of the upstream's body comes, if enabled."""
        if self.origins is not None:
            self.origins.note(made, where)


def warnings_header(warnings: Iterable[str]) -> str:
    """Return the value of the header that tells the client what was left out of its request."""
    return "; ".join(warnings)[:_LONGEST_HEADER].encode("ascii", "replace").decode()


def model_of(body: JsonObject, exchange: Exchange) -> str:
    """Return the model named in an answer, or else the requested one."""
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
    """Translates the bytes of an upstream's event stream, in any chunks, to the client's. Never raises."""

    def feed(self, chunk: bytes) -> bytes:
        """Return the events that `chunk` completes; maybe none."""
        ...

    def finish(self) -> bytes:
        """Return the events at the upstream's end: the terminal events, or an error if its answer is incomplete."""
        ...

    def abort(self, error: GatewayError) -> bytes:
        """Return the client API's error event after the upstream has failed."""
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
        """The model named in the answer; "" until then."""
        ...


class Translation(Protocol):
    """Both directions of one exchange."""

    def request(self, *, upstream_model: str) -> JsonObject:
        """Return the body for the upstream.

        Raises:
            UnsupportedFeature: the upstream's API lacks a field; `param` names it.
            MalformedBody: a field has a wrong type; `param` names it.
        """
        ...

    def response(self, body: JsonObject) -> TranslatedBody:
        """Return the client's view of a whole answer.

        Raises:
            UpstreamError: the answer is invalid.
        """
        ...

    def error(self, status: int, body: bytes, *, code: str = "") -> bytes:
        """Return the client's view of an error answer with any body; `code` is from a header."""
        ...

    def stream(self) -> StreamTranslator:
        """Return a translator for the events of one streamed answer."""
        ...
