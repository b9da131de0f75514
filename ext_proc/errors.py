"""The exceptions of the request path, by whose fault they are.

Rendered in the client's API by `apis.errors`. `public_message` is all that a client sees; `detail` is
for the log. Any other exception that leaves the core is a bug, and becomes an InternalError in one place.

GatewayError
├── RequestError     the client's fault          400 404 405 413 415 422
├── PolicyError      refused on purpose          401 403 429, or a filter's own 4xx
├── UpstreamError    a filter, agent or provider 502 503 504
├── InternalError    our bug                     500
└── NotReady         no configuration yet        503
"""

from collections.abc import Mapping
from typing import Any


class GatewayError(Exception):
    """Ends a request, with the status and the message for the client."""

    status = 500
    code: str | None = None

    def __init__(
        self,
        public_message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        detail: str = "",
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(public_message)
        self.public_message = public_message
        self.status = status if status is not None else type(self).status
        self.code = code if code is not None else type(self).code
        self.param = param
        """Path of the invalid field (`messages[2].content`); None if there is none."""
        self.detail = detail
        """For the log only."""
        self.extra = dict(extra or {})
        """Siblings of `error` in the body (Plano's own fields)."""
        self.headers = dict(headers or {})
        """Response headers, such as `allow` or `retry-after`."""


class RequestError(GatewayError):
    """The client's fault."""

    status = 400


class MalformedBody(RequestError):
    """Not JSON, not an object, too deep, not UTF-8, or a field of the wrong type."""


class UnknownModel(RequestError):
    """No configured model of that name."""

    status = 404
    code = "model_not_found"


class UnknownPath(RequestError):
    """Nothing is served at that path."""

    status = 404
    code = "unknown_url"


class MethodNotAllowed(RequestError):
    """The path exists, the method does not."""

    status = 405
    code = "method_not_allowed"


class UnsupportedFeature(RequestError):
    """Well-formed, but not supported by the chosen upstream; `param` names the field."""

    code = "unsupported_feature"


class BodyTooLarge(RequestError):
    """Larger than the configured limit after decompression."""

    status = 413
    code = "request_too_large"


class UnsupportedEncoding(RequestError):
    """The body has an unsupported content encoding."""

    status = 415
    code = "unsupported_content_encoding"


class PolicyError(GatewayError):
    """Refused on purpose."""

    status = 403


class Forbidden(PolicyError):
    """The caller may not use the requested model or agent."""

    code = "not_allowed"


class FilterRejected(PolicyError):
    """A user's filter answered with a 4xx: its status and message reach the client."""

    code = "filter_rejected"


class UpstreamError(GatewayError):
    """A filter, the orchestrator, an agent or a provider failed."""

    status = 502


class FilterFailed(UpstreamError):
    """A filter was unreachable (503), too slow (504), or sent an invalid answer (502)."""

    code = "filter_failed"


class InternalError(GatewayError):
    """Our bug."""

    status = 500
    code = "internal_error"


class NotReady(GatewayError):
    """No configuration for this listener has arrived yet."""

    status = 503
    code = "not_ready"


class Uncompilable(Exception):
    """The configuration contradicts itself; the message names the place."""
