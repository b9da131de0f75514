"""The one place where a GatewayError becomes a response, in the words of the client's API.

OpenAI:    {"error": {"message", "type", "param", "code"}}
Anthropic: {"type": "error", "error": {"type", "message"}}
"""

from typing import Any, Final

import orjson

from ext_proc.apis.paths import Shape
from ext_proc.errors import GatewayError
from ext_proc.events import Respond

_OPENAI_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}
"""Other 4xx are `invalid_request_error`, 404 among them; 5xx are `api_error`."""

_ANTHROPIC_TYPES: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def render_error(error: GatewayError, shape: Shape) -> Respond:
    """Render an error for a client; the fields of `extra` stand beside `error`."""
    status = error.status if 400 <= error.status <= 599 else 500
    body = orjson.dumps(
        error.extra | _anthropic(error, status) if shape == "anthropic" else error.extra | _openai(error, status)
    )
    headers = error.headers | {"content-type": "application/json", "content-length": str(len(body))}
    return Respond(status=status, headers=headers, body=body, details=f"plano_{error.code or _type(status, {})}")


def _openai(error: GatewayError, status: int) -> dict[str, Any]:
    message = {"message": error.public_message, "type": _type(status, _OPENAI_TYPES), "param": error.param, "code": error.code}
    return {"error": message}


def _anthropic(error: GatewayError, status: int) -> dict[str, Any]:
    return {"type": "error", "error": {"type": _type(status, _ANTHROPIC_TYPES), "message": error.public_message}}


def _type(status: int, words: dict[int, str]) -> str:
    return words.get(status) or ("invalid_request_error" if status < 500 else "api_error")
