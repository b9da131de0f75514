"""Errors of providers: read from any shape that they come in, written in the client's API.

Status and headers stay the provider's; message, type, code and param are kept where the client's API has a place.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from ext_proc.apis.paths import shape_of
from ext_proc.codec.json_body import JsonObject, load_json
from ext_proc.errors import GatewayError, UpstreamError

_MAX_MESSAGE: Final = 2000

_OPENAI_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    408: "server_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    424: "server_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    422: "invalid_request_error",
    424: "api_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_ANTHROPIC_WORDS: Final = frozenset(_ANTHROPIC_TYPES.values()) | {"api_error"}
_ANTHROPIC_ONLY: Final = {
    "not_found_error": "invalid_request_error",
    "request_too_large": "invalid_request_error",
    "billing_error": "insufficient_quota",
    "overloaded_error": "server_error",
    "timeout_error": "server_error",
    "api_error": "server_error",
}
"""Anthropic's words that OpenAI's clients do not know -> theirs."""
_CODES_OF_TYPES: Final = {
    "not_found_error": "model_not_found",
    "rate_limit_error": "rate_limit_exceeded",
    "authentication_error": "invalid_api_key",
}
_TYPES_OF_CODES: Final = {
    "rate_limit_exceeded": "rate_limit_error",
    "insufficient_quota": "billing_error",
    "model_not_found": "not_found_error",
    "invalid_api_key": "authentication_error",
    "server_error": "api_error",
    "server_is_overloaded": "overloaded_error",
}

_RESPONSE_CODES: Final = frozenset(
    {
        *("server_error", "rate_limit_exceeded", "invalid_prompt", "data_residency_mismatch"),
        *("bio_policy", "misalignment_policy_violation", "vector_store_timeout"),
        *("invalid_image", "invalid_image_format", "invalid_base64_image", "invalid_image_url", "invalid_image_mode"),
        *("image_too_large", "image_too_small", "image_parse_error", "image_content_policy_violation"),
        *("image_file_too_large", "image_file_not_found", "empty_image_file", "failed_to_download_image"),
        "unsupported_image_media_type",
    }
)
"""Codes of a failed response: `openai.types.responses.ResponseError` of SDK 3.52.0."""

_STATUS_OF_EXCEPTIONS: Final = {
    "ValidationException": 400,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ModelStreamErrorException": 502,
    "ServiceUnavailableException": 503,
}
"""Exceptions in a stream of Amazon Bedrock -> what they would be as an answer of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError:
    """What a provider said went wrong."""

    message: str
    status: int | None = None
    """None in a stream, whose status was 200."""
    type: str | None = None
    code: str | None = None
    param: str | None = None


def read_error(body: object, status: int | None = None) -> ProviderError:
    """Read an error that was parsed already: OpenAI's and Anthropic's shape, Google's, Amazon's, a message, or anything."""
    if isinstance(body, list) and body:  # Gemini wraps the object in an array.
        body = body[0]
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, str):
        return ProviderError(message=error[:_MAX_MESSAGE] or _default(status), status=status)
    if not isinstance(error, dict):
        return ProviderError(message=_default(status), status=status)
    code = error.get("code")
    if status is None and isinstance(code, int) and 400 <= code <= 599:
        status = code  # OpenRouter and others put the HTTP status of a mid-stream failure here.
    kind = _word(error.get("type"))
    return ProviderError(
        message=_first_word(error, "message", "Message", "detail") or _default(status),
        status=status,
        type=kind if kind and kind != "error" else _word(error.get("status")),
        code=_word(code),
        param=_word(error.get("param")),
    )


def parse_error(status: int, body: bytes, code: str = "") -> ProviderError:
    """Read the body of an error answer: JSON or text; `code` is what a header calls it."""
    try:
        parsed: object = load_json(body)
    except orjson.JSONDecodeError:
        text = body[: 4 * _MAX_MESSAGE].decode(errors="replace").strip()
        # A page for browsers tells an API's client nothing.
        parsed = "" if text.startswith("<") else text
    error = read_error(parsed, status)
    return replace(error, code=code) if code and error.code is None else error


def code_of(error_type: str) -> str:
    """Return the error's code in the header `x-amzn-errortype`: `ThrottlingException:http://internal.amazon.com/...`."""
    return error_type.partition(":")[0].rpartition("#")[2]


def converse_exception(kind: str, told: JsonObject) -> ProviderError:
    """Read an exception in a stream of Amazon Bedrock, whose name begins with a small letter there."""
    code = kind[:1].upper() + kind[1:]
    original = told.get("originalStatusCode")
    is_telling = isinstance(original, int) and (original == 429 or 500 <= original <= 599)
    return ProviderError(
        message=_first_word(told, "message", "originalMessage") or _default(None),
        status=original if is_telling else _STATUS_OF_EXCEPTIONS.get(code),
        code=code or None,
    )


def of_gateway(error: GatewayError) -> ProviderError:
    """View one of our own errors as if a provider had sent it, for use within a stream."""
    return ProviderError(message=error.public_message, status=error.status, code=error.code, param=error.param)


def provider_failure(error: ProviderError) -> UpstreamError:
    """Return the error to raise for a whole answer that is one although its status says otherwise."""
    return UpstreamError(error.message, code=error.code)


def openai_error(error: ProviderError) -> JsonObject:
    """Return the object that OpenAI's APIs call `error`."""
    kind = error.type
    if kind is None or kind in _ANTHROPIC_ONLY:
        by_status = "server_error" if error.status is None or error.status >= 500 else "invalid_request_error"
        kind = _OPENAI_TYPES.get(error.status or 0) or _ANTHROPIC_ONLY.get(kind or "", by_status)
    code = error.code or _CODES_OF_TYPES.get(error.type or "")
    return {"message": error.message, "type": kind, "param": error.param, "code": code}


def response_error(error: ProviderError) -> JsonObject:
    """Return the `error` of a failed response: its code is one of an enumeration, and any other is told in the message."""
    code = error.code or ""
    if code in _RESPONSE_CODES:
        return {"code": code, "message": error.message}
    known = "rate_limit_exceeded" if error.status == 429 else "server_error"
    return {"code": known, "message": f"{error.message} ({code})" if code else error.message}


def anthropic_error(error: ProviderError) -> JsonObject:
    """Return the object that Anthropic's API calls `error`."""
    said = error.type if error.type in _ANTHROPIC_WORDS else None
    # OpenAI says invalid_request_error for what Anthropic has finer words for, such as an unknown model.
    kind = said if said != "invalid_request_error" else None
    kind = kind or _ANTHROPIC_TYPES.get(error.status or 0) or said or _TYPES_OF_CODES.get(error.code or error.type or "")
    if kind is None:
        kind = "invalid_request_error" if error.status is not None and error.status < 500 else "api_error"
    return {"type": kind, "message": error.message}


def error_body(error: ProviderError, client_api: str) -> JsonObject:
    """Return the body of an error answer in the client's API."""
    if shape_of(client_api) == "anthropic":
        return {"type": "error", "error": anthropic_error(error)}
    return {"error": openai_error(error)}


def _word(value: Any) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str | int | float):
        return str(value)[:_MAX_MESSAGE] or None
    return None


_BROKEN_OFF: Final = frozenset({"error", "abort", "insufficient_system_resource", "network_error"})
"""Reasons to finish by which a host says that the model failed in the middle of its answer: OpenRouter, Mistral and Cohere say
`error`, SGLang and vLLM `abort`, DeepSeek `insufficient_system_resource`, Zhipu `network_error`."""


def broken_off(choices: object) -> ProviderError | None:
    """Return the error that a choice of Chat Completions ends with, None if none does."""
    for choice in choices if isinstance(choices, list) else ():
        reason = choice.get("finish_reason") if isinstance(choice, dict) else None
        if isinstance(reason, str) and reason.lower() in _BROKEN_OFF:
            default = {"message": "The provider broke the answer off.", "code": reason}
            told = read_error(choice.get("error") or default)
            return told if told.status else replace(told, status=502)
    return None


def malformed_answer(reason: object) -> ProviderError | None:
    """Return the error that a reason to stop is: Amazon Bedrock says so of a model's answer that it can make nothing of."""
    if not isinstance(reason, str) or not reason.startswith("malformed_"):
        return None
    return ProviderError(message="The model's answer was malformed.", status=502, code=reason)


def _first_word(holder: JsonObject, *names: str) -> str | None:
    return next((word for name in names if (word := _word(holder.get(name)))), None)


def _default(status: int | None) -> str:
    return f"The provider answered with status {status}." if status else "The provider reported an error."
