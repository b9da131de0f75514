"""Classifies provider errors as retriable on another model, or final.

Envoy retries statuses (429, 5xx) by itself; this covers what only the body shows.
"""

import re
from enum import StrEnum
from typing import Final

from ext_proc.apis.errors import ProviderError


class Failure(StrEnum):
    """Why an attempt failed: words of logs, labels and the retry header."""

    CONTEXT_LENGTH = "context_length_exceeded"
    """The request is too long for this model; another may take it."""
    RATE_LIMITED = "rate_limited"
    UPSTREAM_ERROR = "upstream_error"
    """A 5xx, or its like within a stream or among the 4xx."""
    REFUSED = "refused"
    """The request itself is at fault, or a content policy refuses it: no other model is tried."""
    EMPTY = "empty_answer"
    """A success without an answer in it."""
    UNREADABLE = "unreadable_answer"
    """Not what its API says."""
    UNANSWERED = "unanswered"
    """No answer began: refused, reset, or too late."""


BETTERED_ELSEWHERE: Final = frozenset(
    {
        Failure.CONTEXT_LENGTH,
        Failure.RATE_LIMITED,
        Failure.UPSTREAM_ERROR,
        Failure.EMPTY,
        Failure.UNREADABLE,
        Failure.UNANSWERED,
    }
)
"""What the next attempt may better."""

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
    r"content filtering policy|content management policy|usage polic(?:y|ies)|content policy|safety system", re.IGNORECASE
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
"""4xx by which a provider says "try again": too slow, a lock that was not free, and Amazon Bedrock's ModelErrorException."""


def is_too_long(error: ProviderError) -> bool:
    """Tell if the provider says that the request does not fit this model."""
    if {error.code, error.type} & _TOO_LONG_CODES:
        return True
    return error.status in (None, 400, 413, 422, 500) and bool(_TOO_LONG.search(error.message))


def is_policy_refusal(error: ProviderError) -> bool:
    """Tell if the provider refuses the content of the request, not its sender."""
    words = {word.lower() for word in (error.code, error.type) if word}
    return bool(words & _POLICY_CODES) or bool(_POLICY.search(error.message))


def status_of(error: ProviderError) -> int:
    """Return the status of an error that came within a stream, where there is none."""
    if error.status is not None:
        return error.status
    if is_too_long(error) or is_policy_refusal(error):
        return 400
    statuses = (_STATUS_OF_WORDS.get(word) for word in (error.code, error.type) if word)
    return next((status for status in statuses if status), 502)


def classify(error: ProviderError) -> Failure:
    """Tell why an attempt failed, from what its answer says."""
    if is_too_long(error):
        return Failure.CONTEXT_LENGTH
    if is_policy_refusal(error):
        return Failure.REFUSED
    status = status_of(error)
    if status == 429:
        return Failure.RATE_LIMITED
    return Failure.UPSTREAM_ERROR if status >= 500 or status in _TRANSIENT else Failure.REFUSED
