"""Applies a decision that was made by one message: Envoy's http_filters set the headers from metadata.

An ext_proc filter that did not receive the headers cannot change them. So its reply sets dynamic metadata; the buffer
filter holds the headers until the body is decided on; header_mutation sets them; and only then does Envoy route.
"""

from typing import Final

from control_plane import ir
from control_plane.xds import api
from protos.contract.headers import ROUTE_HEADER, TRACEPARENT_HEADER, TRACESTATE_HEADER
from protos.contract.metadata import (
    METADATA_NAMESPACE,
    METADATA_PATH,
    METADATA_ROUTE,
    METADATA_TRACEPARENT,
    METADATA_TRACESTATE,
)
from protos.contract.stages import ATTEMPT_HEADERS

BUFFER_FILTER: Final = "envoy.filters.http.buffer"
_OVERWRITE: Final = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD

_HEADERS: Final = {
    ROUTE_HEADER: METADATA_ROUTE,
    TRACEPARENT_HEADER: METADATA_TRACEPARENT,
    TRACESTATE_HEADER: METADATA_TRACESTATE,
}

_KEY_NAMES: Final = "(.*-)?(auth|authorization|api-?key|secret|credentials?|access-token|security-token)(-.*)?"

DECIDED_PATH: Final = f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{METADATA_PATH})%"
"""Path rewrite of a route to the decided path; without one the request's path stays."""


def build_decided(listener: ir.Listener) -> api.hcm.HttpFilter:
    """Build the http_filter that sets what was decided; a decide stage that sees the headers changes them itself."""
    decided = [] if listener.shows_headers else _decided_headers()
    answered = [_remove_keys()] if listener.kind is ir.ListenerKind.MODEL else []
    return _header_mutation(decided, answered)


def build_attempt_filters(max_request_bytes: int) -> list[api.hcm.HttpFilter]:
    """Build the http_filters between the attempt stage and the router."""
    # ext_proc must be able to read answers, and compression gains little here.
    fixed = {"content-type": "application/json", "accept-encoding": "identity"}
    removed = [api.mutation.HeaderMutation(remove=header) for header in ATTEMPT_HEADERS]
    named = [_from_metadata(header, key) for header, key in ATTEMPT_HEADERS.items()]
    mutations = [*removed, *(_overwrite(header, value) for header, value in fixed.items()), *named]
    # A translation may be longer than the client's body.
    return [build_buffer(2 * max_request_bytes), _header_mutation(mutations, [])]


def forget_length() -> api.mutation.HeaderMutation:
    """Build the mutation that removes the client's content-length: the buffer filter sets that of the final body."""
    return api.mutation.HeaderMutation(remove="content-length")


def build_buffer(max_request_bytes: int) -> api.hcm.HttpFilter:
    """Build the filter that waits for a request's body, and lets the filters before it buffer as much.

    It is also what bounds a request's body, whatever the connection's buffers may hold.
    """
    config = api.buffer.Buffer(max_request_bytes=max_request_bytes)
    return api.hcm.HttpFilter(name=BUFFER_FILTER, typed_config=api.pack(config))


def _decided_headers() -> list[api.mutation.HeaderMutation]:
    # An invalid tracestate is removed: it stays only if the decision repeats it. The body is decompressed by now.
    removed = [api.mutation.HeaderMutation(remove=header) for header in (TRACESTATE_HEADER, "content-encoding")]
    return [*removed, *(_from_metadata(header, key) for header, key in _HEADERS.items())]


def _remove_keys() -> api.mutation.HeaderMutation:
    """Remove response headers with names of keys: a provider that echoes its request headers discloses the gateway's key."""
    matcher = api.matcher.StringMatcher(safe_regex=api.matcher.RegexMatcher(regex=_KEY_NAMES))
    return api.mutation.HeaderMutation(remove_on_match=api.mutation.HeaderMutationRemoveOnMatch(key_matcher=matcher))


def _header_mutation(
    requests: list[api.mutation.HeaderMutation], responses: list[api.mutation.HeaderMutation]
) -> api.hcm.HttpFilter:
    mutations = api.header_mutation.Mutations(request_mutations=requests, response_mutations=responses)
    config = api.header_mutation.HeaderMutation(mutations=mutations)
    return api.hcm.HttpFilter(name="envoy.filters.http.header_mutation", typed_config=api.pack(config))


def _from_metadata(header: str, key: str) -> api.mutation.HeaderMutation:
    return _overwrite(header, f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{key})%")


def _overwrite(header: str, value: str) -> api.mutation.HeaderMutation:
    option = api.core.HeaderValueOption(header=api.core.HeaderValue(key=header, value=value), append_action=_OVERWRITE)
    return api.mutation.HeaderMutation(append=option)
