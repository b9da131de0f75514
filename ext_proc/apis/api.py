"""What the gateway must know of an API by itself, whatever it is translated to: one ApiSpec each, found in `registry`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ext_proc.apis.errors import ProviderError, Shape
from ext_proc.apis.readers import Reader, SseReader
from ext_proc.apis.usage import Usage
from ext_proc.codec.json_body import JsonObject


class Api(StrEnum):
    """The APIs, by their body format."""

    CHAT_COMPLETIONS = "chat_completions"
    RESPONSES = "responses"
    MESSAGES = "messages"
    CONVERSE = "converse"
    """Amazon Bedrock's: spoken by upstreams only."""
    COUNT_TOKENS = "count_tokens"
    """Counts the tokens of a Messages request without sending it to a model."""
    EMBEDDINGS = "embeddings"
    COMPLETIONS = "completions"
    IMAGES = "images"
    AUDIO = "audio"
    MODERATIONS = "moderations"
    RERANK = "rerank"
    FILES = "files"
    BATCHES = "batches"
    MESSAGE_BATCHES = "message_batches"
    """Anthropic's batches. This API and those above pass as they are: see `protos.contract.passthrough`."""
    MODELS = "models"
    """No body: the list of models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSpec:
    """One API."""

    api: Api
    path: str = ""
    """Where clients send requests; empty for an API that no client speaks."""
    methods: tuple[str, ...] = ("POST",)
    serves_agents: bool = False
    """Whether agent listeners serve it; model listeners serve all that have a path."""
    shape: Shape = "openai"
    """How clients read errors."""
    conversation: str = ""
    """Field of a request that holds the conversation; empty for an API without conversations."""
    instructions: str = ""
    """Field of a request that holds instructions apart from the conversation."""
    read_usage: Callable[[object], Usage]
    """Reads `usage` of an answer, or of an event; anything that is not one counts nothing."""
    adds_up_usage: bool = False
    """Whether the counts of a stream's events complete each other, instead of replacing each other."""
    new_reader: Callable[[], Reader] = SseReader
    """Makes a reader for one stream."""
    stream_type: str = "text/event-stream"
    """Media type of streams."""
    has_content: Callable[[JsonObject], bool]
    """Whether an event carries content, so that the stream may be shown to the client."""
    has_answer: Callable[[JsonObject], bool] = lambda _body: True
    """Whether a whole answer has something in it, or a reason to be empty."""
    failure: Callable[[ProviderError, int], tuple[JsonObject, ...]]
    """Returns the last events of a stream that fails; the number is the `sequence_number` to use."""
