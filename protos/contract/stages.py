"""The ext_proc stages: their names, and the attributes that Envoy sends them."""

from typing import Final

from protos.contract.headers import (
    ATTEMPT_TIMES_HEADER,
    BOUNDS_HEADER,
    METADATA_HEADER,
    REQUEST_ID_HEADER,
    ROUTE_HEADER,
    TRACEPARENT_HEADER,
)
from protos.contract.metadata import METADATA_ROUTE

STAGE_METADATA: Final = "x-plano-stage"
"""The calling http_filter: see STAGE_DECIDE."""

LISTENER_METADATA: Final = "x-plano-listener"
"""Name of the listener that the request arrived on; `-bin` is not needed, names are checked to be visible ASCII."""

STAGE_DECIDE: Final = "decide"
"""Headers, then the body: for listeners whose filters receive the client's headers."""

STAGE_DECIDE_BODY: Final = "decide_body"
"""One message, the body with REQUEST_ATTRIBUTES; or the headers of a request that is not a POST."""

REQUEST_ATTRIBUTES: Final = {
    "request.method": ":method",
    "request.path": ":path",
    "request.id": "x-request-id",
    "request.headers['traceparent']": "traceparent",
    "request.headers['tracestate']": "tracestate",
    "request.headers['content-encoding']": "content-encoding",
}
"""Attributes that replace the headers if only the body is sent: CEL expression -> header.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
"""


def header_attribute(header: str) -> str:
    """Return the CEL expression of a request header."""
    return f"request.headers['{header}']"


ATTRIBUTES_NAMESPACE: Final = "envoy.filters.http.ext_proc"
"""Namespace of a message's attributes."""

STAGE_ATTEMPT: Final = "attempt"
"""An http_filter of the attempts listener: one message for the request of an attempt, as in STAGE_DECIDE_BODY."""

ATTEMPT_HEADERS: Final = {
    ROUTE_HEADER: METADATA_ROUTE,
    "x-envoy-upstream-rq-per-try-timeout-ms": "per_try_timeout_ms",
    "anthropic-version": "anthropic_version",
    "anthropic-beta": "anthropic_beta",
    "authorization": "authorization",
    "x-api-key": "x_api_key",
    "api-key": "api_key",
}
"""Headers of an attempt that ext_proc sets -> the dynamic metadata with their values; removed if it is missing."""

ATTEMPT_ATTRIBUTES: Final = tuple(
    header_attribute(header)
    for header in (
        METADATA_HEADER,
        ATTEMPT_TIMES_HEADER,
        BOUNDS_HEADER,
        REQUEST_ID_HEADER,
        TRACEPARENT_HEADER,
        *(header for header in ATTEMPT_HEADERS if header.startswith(("a", "x-api"))),
    )
)
"""Attributes of an attempt's headers, as CEL expressions."""

STAGE_UPSTREAM: Final = "upstream"
"""Not an http_filter: ext_proc answers as an upstream, by plain HTTP, where it merges several answers. Envoy applies
back-pressure to it, unlike to immediate responses of an http_filter. The request has METADATA_HEADER."""

STAGE_ERRORS: Final = "errors"
"""Part of an http_filter of model listeners: called for providers' errors only."""

STAGE_ANSWERS: Final = "answers"
"""Part of the same http_filter: called for answers that are in another form than the client reads."""

STAGE_RESPOND: Final = "respond"
"""An http_filter of listeners with output filters: the headers of request and answer, then the answer's body as a stream."""

RESPOND_ATTRIBUTE: Final = "response.code_details"
"""Envoy's response code details: distinguish an upstream's error from a local reply."""
