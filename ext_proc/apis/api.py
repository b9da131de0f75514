"""The description of an API, independent of translations: one ApiSpec each, found through `registry`."""

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
    """Amazon Bedrock's API, which only upstreams use."""
    COUNT_TOKENS = "count_tokens"
    """Counts the tokens of a Messages request."""
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
    """Path of requests; empty for an API without clients."""
    methods: tuple[str, ...] = ("POST",)
    serves_agents: bool = False
    """Whether agent listeners serve it; model listeners serve all APIs with a path."""
    shape: Shape = "openai"
    """The error shape of clients."""
    conversation: str = ""
    """Request field with the conversation; empty for an API without conversations."""
    instructions: str = ""
    """Request field with separate instructions."""
    read_usage: Callable[[object], Usage]
    """Reads `usage` of an answer or an event; invalid values count as 0."""
    adds_up_usage: bool = False
    """Whether the counts of a stream's events are merged, instead of replacing each other."""
    new_reader: Callable[[], Reader] = SseReader
    """Creates a reader for one stream."""
    stream_type: str = "text/event-stream"
    """Media type of streams."""
    has_content: Callable[[JsonObject], bool]
    """Whether an event has content, which opens the first-token gate."""
    has_answer: Callable[[JsonObject], bool] = lambda _body: True
    """Whether a whole answer has content, or a reason to be empty."""
    failure: Callable[[ProviderError, int], tuple[JsonObject, ...]]
    """Returns the last events of a stream that fails; the number is the `sequence_number` to use."""
