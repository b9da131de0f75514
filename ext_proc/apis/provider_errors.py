"""Parses errors of providers in any shape. `errors` renders them for clients."""

from dataclasses import replace
from typing import Any, Final

import orjson

from ext_proc.apis.errors import ProviderError
from ext_proc.codec.json_body import JsonObject, load_json
from ext_proc.errors import UpstreamError

_MAX_MESSAGE: Final = 2000

_STATUS_OF_EXCEPTIONS: Final = {
    "ValidationException": 400,
    "ThrottlingException": 429,
    "InternalServerException": 500,
    "ModelStreamErrorException": 502,
    "ServiceUnavailableException": 503,
}
"""Exceptions in a stream of Amazon Bedrock -> statuses."""


def read_error(body: object, status: int | None = None) -> ProviderError:
    """Read an error from parsed JSON: the shapes of OpenAI, Anthropic, Google and Amazon, a message, or anything else."""
    if isinstance(body, list) and body:  # Gemini wraps the object in an array.
        body = body[0]
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, str):
        return ProviderError(message=error[:_MAX_MESSAGE] or _default(status), status=status)
    if not isinstance(error, dict):
        return ProviderError(message=_default(status), status=status)
    code = error.get("code")
    if status is None and isinstance(code, int) and 400 <= code <= 599:
        status = code  # OpenRouter and others put the HTTP status of an error within a stream here.
    kind = _word(error.get("type"))
    return ProviderError(
        message=_first_word(error, "message", "Message", "detail") or _default(status),
        status=status,
        type=kind if kind and kind != "error" else _word(error.get("status")),
        code=_word(code),
        param=_word(error.get("param")),
    )


def parse_error(status: int, body: bytes, code: str = "") -> ProviderError:
    """Read the body of an error answer, JSON or text; `code` is from a header."""
    try:
        parsed: object = load_json(body)
    except orjson.JSONDecodeError:
        text = body[: 4 * _MAX_MESSAGE].decode(errors="replace").strip()
        # An HTML page is useless to an API's client.
        parsed = "" if text.startswith("<") else text
    error = read_error(parsed, status)
    return replace(error, code=code) if code and error.code is None else error


def code_of(error_type: str) -> str:
    """Return the error's code in the header `x-amzn-errortype`: `ThrottlingException:http://internal.amazon.com/...`."""
    return error_type.partition(":")[0].rpartition("#")[2]


def converse_exception(kind: str, told: JsonObject) -> ProviderError:
    """Read an exception in a stream of Amazon Bedrock, where names begin with a lower-case letter."""
    code = kind[:1].upper() + kind[1:]
    original = told.get("originalStatusCode")
    is_telling = isinstance(original, int) and (original == 429 or 500 <= original <= 599)
    return ProviderError(
        message=_first_word(told, "message", "originalMessage") or _default(None),
        status=original if is_telling else _STATUS_OF_EXCEPTIONS.get(code),
        code=code or None,
    )


def provider_failure(error: ProviderError) -> UpstreamError:
    """Return the exception for a whole answer that is an error despite its status."""
    return UpstreamError(error.message, code=error.code)


def _word(value: Any) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str | int | float):
        return str(value)[:_MAX_MESSAGE] or None
    return None


_BROKEN_OFF: Final = frozenset({"error", "abort", "insufficient_system_resource", "network_error"})
"""Finish reasons of hosts for a failure in the middle of an answer: OpenRouter, Mistral and Cohere send
`error`, SGLang and vLLM `abort`, DeepSeek `insufficient_system_resource`, Zhipu `network_error`."""


def broken_off(choices: object) -> ProviderError | None:
    """Return the error in the finish reason of a Chat Completions choice; None if there is none."""
    for choice in choices if isinstance(choices, list) else ():
        reason = choice.get("finish_reason") if isinstance(choice, dict) else None
        if isinstance(reason, str) and reason.lower() in _BROKEN_OFF:
            default = {"message": "The provider broke the answer off.", "code": reason}
            told = read_error(choice.get("error") or default)
            return told if told.status else replace(told, status=502)
    return None


def malformed_answer(reason: object) -> ProviderError | None:
    """Return the error for a stop reason by which Amazon Bedrock reports a malformed answer."""
    if not isinstance(reason, str) or not reason.startswith("malformed_"):
        return None
    return ProviderError(message="The model's answer was malformed.", status=502, code=reason)


def _first_word(holder: JsonObject, *names: str) -> str | None:
    return next((word for name in names if (word := _word(holder.get(name)))), None)


def _default(status: int | None) -> str:
    return f"The provider answered with status {status}." if status else "The provider reported an error."
