"""Classifies provider errors as retriable on another model, or final.

Envoy retries statuses (429, 5xx) by itself; this covers what only the body shows.
"""

import re
from enum import StrEnum
from typing import Final

from ext_proc.apis.errors import ProviderError


class Failure(StrEnum):
    """The reasons of failures, as in logs, labels and the retry header."""

    CONTEXT_LENGTH = "context_length_exceeded"
    """The request is too long for this model; another may take it."""
    RATE_LIMITED = "rate_limited"
    UPSTREAM_ERROR = "upstream_error"
    """A 5xx, or an equivalent within a stream or among the 4xx."""
    REFUSED = "refused"
    """The request itself is invalid, or violates a content policy: no failover."""
    NOT_TAKEN = "not_taken"
    """Rejected by a fallback: the requested model, or others, may accept the request."""
    OWN_FAULT = "own_fault"
    """The provider rejects the gateway's own key, account or model name: see `own_fault`."""
    EMPTY = "empty_answer"
    """A success without an answer in it."""
    UNREADABLE = "unreadable_answer"
    """It violates its API."""
    UNANSWERED = "unanswered"
    """No answer: connection failure, reset, or timeout."""


BETTERED_ELSEWHERE: Final = frozenset(
    {
        Failure.CONTEXT_LENGTH,
        Failure.RATE_LIMITED,
        Failure.UPSTREAM_ERROR,
        Failure.EMPTY,
        Failure.UNREADABLE,
        Failure.UNANSWERED,
        Failure.NOT_TAKEN,
        Failure.OWN_FAULT,
    }
)
"""Failures that are retriable on another model."""

_TOO_LONG_CODES: Final = frozenset(
    {"context_length_exceeded", "exceed_context_size_error", "context_window_exceeded", "model_context_window_exceeded"}
)
_TOO_LONG: Final = re.compile(
    "|".join(
        (
            r"maximum context length",  # OpenAI, DeepSeek, vLLM, Mistral, OpenRouter, Together
            r"maximum prompt length",  # xAI
            r"maximum model length",  # vLLM
            r"exceeds? the context window",  # OpenAI Responses
            r"exceeds? the available context size",  # llama.cpp
            r"exceeds? (?:the )?context (?:limit|length|size)",  # Anthropic, Ollama
            r"prompt is too long",  # Anthropic, Fireworks
            r"input is too long for requested model",  # Bedrock
            r"input token count .{0,40}exceeds the maximum number of tokens",  # Gemini
            r"exceeded model token limit",  # Moonshot
            r"prompt exceeds max length",  # Z.ai
            r"too large for model with \d+ maximum",  # Mistral
            r"total number of tokens in the prompt cannot exceed",  # Cohere
            r"reduce the length of the (?:messages|prompt|input)",  # Groq
            r"`inputs` tokens \+ `max_new_tokens` must be",  # TGI
        )
    ),
    re.IGNORECASE,
)
_POLICY_CODES: Final = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "responsibleaipolicyviolation",
        "invalid_prompt",
        "moderation_blocked",
        "prohibited_content",
        "safety",
        "data_inspection_failed",
    }
)
_POLICY: Final = re.compile(
    r"content filtering policy|content management policy|usage polic(?:y|ies)|content policy|safety system"
    r"|requires moderation|input was flagged",  # OpenRouter, with a 403
    re.IGNORECASE,
)

_STATUS_OF_WORDS: Final = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}

_TRANSIENT: Final = frozenset({408, 409, 424})
"""Retriable 4xx: request timeout, lock conflict, and Amazon Bedrock's ModelErrorException."""


_ACCOUNT_CODES: Final = frozenset(
    {"account_deactivated", "billing_error", "billing_hard_limit_reached", "billing_not_active", "insufficient_quota"}
)
_KEY_REFUSED: Final = re.compile(
    r"api[ _-]?key (?:is )?(?:not valid|invalid|expired)|(?:incorrect|invalid) api key", re.IGNORECASE
)
"""Google and xAI send this with a 400."""
_NO_CREDIT: Final = re.compile(
    r"credit balance is too low"  # Anthropic, with a 400
    r"|insufficient (?:account )?(?:balance|credits?|funds)"  # DeepSeek, OpenRouter, Moonshot
    r"|account (?:has been|is) (?:deactivated|disabled|suspended)",
    re.IGNORECASE,
)
_NO_SUCH_MODEL: Final = re.compile(
    r"model .{0,200}does not exist|not a valid model id|invalid model(?: name|:)|model identifier is invalid"
    r"|model .{0,200}(?:not found|not supported|decommissioned)|unknown model|no such model|no endpoints found",
    re.IGNORECASE,
)
_OF_THE_CLIENT: Final = re.compile(
    r"\b(?:assistant|batch|container|conversation|file|image|item|message|prompt|response|thread|tool|url|vector store)s?\b"
    r".{0,200}(?:not found|does not exist|no such|expired)",
    re.IGNORECASE,
)
"""A 404 about a resource in the client's request."""


def own_fault(error: ProviderError) -> str:
    """Return which part of the gateway's configuration the provider rejects: `key`, `account`, `model`, or empty."""
    status, words = status_of(error), {word.lower() for word in (error.code, error.type) if word}
    if status == 402 or (status in (400, 401, 403) and (words & _ACCOUNT_CODES or _NO_CREDIT.search(error.message))):
        return "account"
    if status in (401, 403) or (status == 400 and _KEY_REFUSED.search(error.message)):
        return "key"
    if status == 404 or (status == 400 and ("model_not_found" in words or _NO_SUCH_MODEL.search(error.message))):
        is_the_clients = error.param not in (None, "model") or _OF_THE_CLIENT.search(error.message)
        return "" if is_the_clients and "model_not_found" not in words else "model"
    return ""


def is_too_long(error: ProviderError) -> bool:
    """Whether the request exceeds the model's context."""
    if {error.code, error.type} & _TOO_LONG_CODES:
        return True
    return error.status in (None, 400, 413, 422, 500) and bool(_TOO_LONG.search(error.message))


def is_policy_refusal(error: ProviderError) -> bool:
    """Whether the provider refuses the content of the request."""
    words = {word.lower() for word in (error.code, error.type) if word}
    return bool(words & _POLICY_CODES) or bool(_POLICY.search(error.message))


def status_of(error: ProviderError) -> int:
    """Return the status for an error within a stream."""
    if error.status is not None:
        return error.status
    if is_too_long(error) or is_policy_refusal(error):
        return 400
    statuses = (_STATUS_OF_WORDS.get(word) for word in (error.code, error.type) if word)
    return next((status for status in statuses if status), 502)


def classify(error: ProviderError) -> Failure:
    """Classify a failure by the answer."""
    if is_too_long(error):
        return Failure.CONTEXT_LENGTH
    if is_policy_refusal(error):
        return Failure.REFUSED
    status = status_of(error)
    if status == 429:
        return Failure.RATE_LIMITED
    return Failure.UPSTREAM_ERROR if status >= 500 or status in _TRANSIENT else Failure.REFUSED
