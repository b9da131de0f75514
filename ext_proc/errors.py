"""What can go wrong with a request, and whose fault it is.

Raised low, rendered once in the client's API by `apis.errors`. `public_message` is all that a client ever sees; `detail` is
for the log. Anything else that leaves the core is a bug, and becomes an InternalError in one place.

GatewayError
├── RequestError     the client's fault          400 404 405 413 415 422
├── PolicyError      we refuse on purpose        401 403 429, or a filter's own 4xx
├── UpstreamError    a filter, agent or provider 502 503 504
├── InternalError    our bug                     500
└── NotReady         no configuration yet        503
"""

from collections.abc import Mapping
from typing import Any


class GatewayError(Exception):
    """A request that ends here, with the status and the message that the client gets."""

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
        """Path of the field at fault (`messages[2].content`), None if there is none."""
        self.detail = detail
        """For the log only."""
        self.extra = dict(extra or {})
        """Members that stand beside `error` in the body (Plano's own fields)."""
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
    """Well-formed, but the chosen upstream cannot carry it; `param` names it."""

    code = "unsupported_feature"


class BodyTooLarge(RequestError):
    """More than the configured limit, once it is decompressed."""

    status = 413
    code = "request_too_large"


class UnsupportedEncoding(RequestError):
    """The body is compressed in a way that nothing here could read."""

    status = 415
    code = "unsupported_content_encoding"


class PolicyError(GatewayError):
    """Refused on purpose."""

    status = 403


class Forbidden(PolicyError):
    """The caller may not use what it asks for."""

    code = "not_allowed"


class FilterRejected(PolicyError):
    """A user's filter answered with a 4xx: its status and message reach the client."""

    code = "filter_rejected"


class UpstreamError(GatewayError):
    """A filter, the orchestrator, an agent or a provider failed."""

    status = 502


class FilterFailed(UpstreamError):
    """A filter could not be reached (503), was too slow (504), or answered nonsense (502)."""

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
    """The configuration contradicts itself; the message says where."""
