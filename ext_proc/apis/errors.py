"""Renders errors of the gateway and of providers in the shape of each client API.

OpenAI:    {"error": {"message", "type", "param", "code"}}
Anthropic: {"type": "error", "error": {"type", "message"}}

A provider's status and headers are kept; so are its message, type, code and param, if the client's API has these fields.
"""

from dataclasses import dataclass
from typing import Final, Literal

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import GatewayError, UpstreamError
from ext_proc.events import Respond
from protos.contract.error_types import ANTHROPIC_TYPES, OPENAI_TYPES, anthropic_type, openai_type

Shape = Literal["openai", "anthropic"]
"""The error shapes of client APIs."""

_ANTHROPIC_WORDS: Final = frozenset(ANTHROPIC_TYPES.values())
_ANTHROPIC_ONLY: Final = {
    "not_found_error": "invalid_request_error",
    "request_too_large": "invalid_request_error",
    "billing_error": "insufficient_quota",
    "overloaded_error": "server_error",
    "timeout_error": "server_error",
    "api_error": "server_error",
}
"""Anthropic's error types -> OpenAI's."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError:
    """An error reported by a provider."""

    message: str
    status: int | None = None
    """None in a stream, whose status was 200."""
    type: str | None = None
    code: str | None = None
    param: str | None = None


def of_gateway(error: GatewayError, status: int | None = None) -> ProviderError:
    """Convert one of the gateway's errors to the same form."""
    return ProviderError(message=error.public_message, status=status or error.status, code=error.code, param=error.param)


def redirected(status: int) -> UpstreamError:
    """Return the error for a provider that sends its clients elsewhere."""
    return UpstreamError(
        f"The provider answered with a redirection ({status}) in place of an answer.", code="bad_upstream_answer"
    )


def render_error(error: GatewayError, shape: Shape) -> Respond:
    """Render one of the gateway's errors as a response; the fields of `extra` are siblings of `error`."""
    status = error.status if 400 <= error.status <= 599 else 500
    body = orjson.dumps(error.extra | error_body(of_gateway(error, status), shape))
    headers = error.headers | {"content-type": "application/json", "content-length": str(len(body))}
    return Respond(status=status, headers=headers, body=body, details=f"plano_{error.code or openai_type(status)}")


def error_body(error: ProviderError, shape: Shape) -> JsonObject:
    """Return the body of an error answer."""
    if shape == "anthropic":
        return {"type": "error", "error": anthropic_error(error)}
    return {"error": openai_error(error)}


def openai_error(error: ProviderError) -> JsonObject:
    """Return the object that OpenAI's APIs call `error`."""
    kind = error.type
    if kind is None or kind in _ANTHROPIC_ONLY:
        kind = OPENAI_TYPES.get(error.status or 0) or _ANTHROPIC_ONLY.get(kind or "", openai_type(error.status or 500))
    code = error.code or _CODES_OF_TYPES.get(error.type or "")
    return {"message": error.message, "type": kind, "param": error.param, "code": code}


def response_error(error: ProviderError) -> JsonObject:
    """Return the `error` of a failed response: its code is an enumeration, so any other code goes into the message."""
    code = error.code or ""
    if code in _RESPONSE_CODES:
        return {"code": code, "message": error.message}
    known = "rate_limit_exceeded" if error.status == 429 else "server_error"
    return {"code": known, "message": f"{error.message} ({code})" if code else error.message}


def anthropic_error(error: ProviderError) -> JsonObject:
    """Return the object that Anthropic's API calls `error`."""
    said = error.type if error.type in _ANTHROPIC_WORDS else None
    # OpenAI uses invalid_request_error where Anthropic has more specific types, such as for an unknown model.
    kind = said if said != "invalid_request_error" else None
    kind = kind or ANTHROPIC_TYPES.get(error.status or 0) or said or _TYPES_OF_CODES.get(error.code or error.type or "")
    return {"type": kind or anthropic_type(error.status or 500), "message": error.message}
