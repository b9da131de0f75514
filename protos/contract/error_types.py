"""The `type` of an error in each shape that clients read, by HTTP status: one table for Envoy's own replies and for ext_proc's.

https://platform.openai.com/docs/guides/error-codes and https://docs.claude.com/en/api/errors
"""

from typing import Final

OPENAI_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    408: "server_error",
    424: "server_error",
    429: "rate_limit_error",
}

ANTHROPIC_TYPES: Final = {
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
    431: "request_too_large",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def openai_type(status: int) -> str:
    """Return the type of an error in OpenAI's shape; a status that is not listed counts as its class."""
    return OPENAI_TYPES.get(status) or ("invalid_request_error" if status < 500 else "server_error")


def anthropic_type(status: int) -> str:
    """Return the type of an error in Anthropic's shape; a status that is not listed counts as its class."""
    return ANTHROPIC_TYPES.get(status) or ("invalid_request_error" if status < 500 else "api_error")
