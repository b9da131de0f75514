"""Which API a request means: method and path of the client -> endpoint, or the refusal."""

from enum import StrEnum
from typing import Final, Literal

from ext_proc.errors import MethodNotAllowed, UnknownPath


class Api(StrEnum):
    """The client APIs, by their body format."""

    CHAT_COMPLETIONS = "chat_completions"
    RESPONSES = "responses"
    MESSAGES = "messages"
    COUNT_TOKENS = "count_tokens"
    """Counts the tokens of a Messages request without sending it to a model."""
    EMBEDDINGS = "embeddings"
    COMPLETIONS = "completions"
    MODELS = "models"
    """No body: the list of models."""


AGENT_APIS: Final = {
    "/v1/chat/completions": Api.CHAT_COMPLETIONS,
    "/v1/messages": Api.MESSAGES,
    "/v1/responses": Api.RESPONSES,
    "/v1/models": Api.MODELS,
}
"""What an agent listener serves."""

MODEL_APIS: Final = AGENT_APIS | {
    "/v1/embeddings": Api.EMBEDDINGS,
    "/v1/completions": Api.COMPLETIONS,
    "/v1/messages/count_tokens": Api.COUNT_TOKENS,
}
"""What a model listener serves."""

DECISION_PREFIX: Final = "/routing"

DECISION_APIS: Final = {DECISION_PREFIX + path: api for path, api in AGENT_APIS.items() if api is not Api.MODELS}
"""Where a model listener tells which model it would choose, and asks none."""

PATHS: Final = {api: path for path, api in MODEL_APIS.items()}

Shape = Literal["openai", "anthropic"]
"""How an API words its errors."""


def split_query(target: str) -> tuple[str, str]:
    """Split a request's `:path` into path and query, the query with its question mark or empty."""
    path, mark, query = target.partition("?")
    return path, mark + query


def error_shape(path: str) -> Shape:
    """Return how a client that asked for this path reads errors: also for paths below it that are not served."""
    path = path.removeprefix(DECISION_PREFIX)
    return "anthropic" if path == "/v1/messages" or path.startswith("/v1/messages/") else "openai"


def shape_of(api: str) -> Shape:
    """Return how a client of an API reads errors."""
    return "anthropic" if api in (Api.MESSAGES, Api.COUNT_TOKENS) else "openai"


def find_api(table: dict[str, Api], method: str, path: str) -> Api:
    """Return the API that is served at a path.

    Raises:
        UnknownPath: nothing is.
        MethodNotAllowed: something is, but not for this method.
    """
    api = table.get(path)
    if api is None:
        raise UnknownPath("Nothing is served at this path. Served are: " + ", ".join(sorted(table)) + ".")
    allowed = ("GET", "OPTIONS") if api is Api.MODELS else ("POST",)
    if method not in allowed:
        allow = ", ".join(allowed)
        raise MethodNotAllowed(f"The method is not allowed at {path}; use {allow}.", headers={"allow": allow})
    return api
