"""Envoy's local replies, as errors in the shape of the client's API.

Envoy's own texts contain addresses and internals, so each local reply is replaced, by status. A reply that already has a
content type was made by ext_proc and passes unchanged.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from control_plane.xds import api
from protos.contract.error_types import anthropic_type, openai_type
from protos.contract.headers import LOCAL_REPLY_HEADER, ROUTE_HEADER, UNAVAILABLE_HEADER
from protos.contract.metadata import METADATA_API, METADATA_NAMESPACE, UNAVAILABLE

_MESSAGES_PATH: Final = "/v1/messages"
_MESSAGES_APIS: Final = "messages|count_tokens"
_EQ, _GE = api.accesslog.ComparisonFilterOp.EQ, api.accesslog.ComparisonFilterOp.GE

_Filter = api.accesslog.AccessLogFilter


@dataclass(frozen=True, slots=True)
class _Reply:
    """One kind of reply: its condition and its content."""

    status: int
    code: str
    """`code` in OpenAI's shape."""
    message: str
    flags: tuple[str, ...] = ()
    """Only for these response flags of Envoy."""
    details: str = ""
    """Only for Envoy's response code details that begin so."""
    headers: tuple[tuple[str, str], ...] = ()
    becomes: int = 0
    """Status that the client gets instead; 0: the same."""


_OVERFLOW = ("UO",)
_UNREACHABLE = ("UF", "UH", "UC", "UR", "LR", "URX", "NC", "DF")
_UNVERIFIED: Final = "jwt_authn_access_denied"
"""Beginning of jwt_authn's details; its 403 is for tokens of another audience."""
_NEEDS_TOKEN: Final = "A valid token of this gateway's issuer is needed, in `authorization: Bearer`."  # noqa: S105 - a sentence

_REPLIES: Final = (
    _Reply(400, "bad_request", "The request has no body, or is not valid HTTP."),
    _Reply(401, "invalid_token", _NEEDS_TOKEN, details=_UNVERIFIED),
    _Reply(403, "invalid_token", _NEEDS_TOKEN, details=_UNVERIFIED, becomes=401),
    _Reply(401, "invalid_api_key", "A valid API key is needed, in `authorization: Bearer`, `x-api-key` or `api-key`."),
    _Reply(
        403,
        "upgrade_required",
        "Nothing is served over WebSocket or another protocol; use HTTP/1.1 or HTTP/2.",
        becomes=426,
        headers=(("upgrade", "HTTP/1.1"),),
    ),
    _Reply(404, "unknown_url", "Nothing is served at this path."),
    _Reply(408, "request_timeout", "The request took too long to arrive."),
    _Reply(413, "request_too_large", "The request body is too large."),
    _Reply(
        415,
        "unsupported_content_type",
        "The request body must be JSON: send it with `content-type: application/json`.",
    ),
    _Reply(421, "misdirected_request", "Requests for this host are not served here."),
    _Reply(429, "rate_limit_exceeded", "Too many requests. Try again later."),
    _Reply(431, "headers_too_large", "The request headers are too large."),
    _Reply(500, "internal_error", "The gateway failed to handle the request."),
    _Reply(502, "upstream_error", "The upstream service answered with something that is not HTTP."),
    _Reply(
        503,
        "overloaded",
        "Too many requests are in progress. Try again shortly.",
        flags=_OVERFLOW,
        headers=(("retry-after", "1"),),
    ),
    _Reply(
        503,
        "upstream_unavailable",
        "The upstream service could not be reached.",
        flags=_UNREACHABLE,
    ),
    _Reply(
        503,
        "service_unavailable",
        "The gateway cannot handle requests at the moment.",
        headers=(("retry-after", "1"),),
    ),
    _Reply(
        504,
        "upstream_timeout",
        "The upstream service did not answer in time.",
        flags=("UT", "SI", "UPE"),
    ),
    _Reply(504, "decision_timeout", "The gateway took too long to decide about the request."),
)

_NO_CREDENTIAL: Final = "failed_to_inject_credential"


def build_client_local_reply() -> api.hcm.LocalReplyConfig:
    """Build the replies of a client listener."""
    mappers = [_unchanged(), _missing_credential(), _no_body(_messages_api(), _anthropic), _no_body(None, _openai)]
    for reply in _REPLIES:
        mappers += [_mapper(reply, _messages_api(), _anthropic(reply)), _mapper(reply, None, _openai(reply))]
    return api.hcm.LocalReplyConfig(mappers=mappers)


def build_internal_local_reply() -> api.hcm.LocalReplyConfig:
    """Mark local replies of an internal listener, so that ext_proc can distinguish them from an upstream's."""
    marks = {
        LOCAL_REPLY_HEADER: "%RESPONSE_FLAGS%",
        UNAVAILABLE_HEADER: f"%UPSTREAM_METADATA({METADATA_NAMESPACE}:{UNAVAILABLE})%",
    }
    marked = [_mark(header, value) for header, value in marks.items()]
    return api.hcm.LocalReplyConfig(mappers=[api.hcm.ResponseMapper(filter=_status(_GE, 100), headers_to_add=marked)])


def _mark(header: str, value: str) -> api.core.HeaderValueOption:
    overwrite = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    return api.core.HeaderValueOption(header=api.core.HeaderValue(key=header, value=value), append_action=overwrite)


def _unchanged() -> api.hcm.ResponseMapper:
    """Keep ext_proc's immediate replies: Envoy's own have no content type at this point."""
    return api.hcm.ResponseMapper(filter=_cel("'content-type' in response.headers"))


def _missing_credential() -> api.hcm.ResponseMapper:
    """Report a gateway error, not a client error, when a secret has not arrived."""
    reply = next(reply for reply in _REPLIES if reply.status == 500)
    mapper = _mapper(reply, None, _openai(reply))
    mapper.filter = _cel(f"response.code_details == '{_NO_CREDENTIAL}'")
    mapper.status_code = reply.status
    return mapper


def _no_body(extra: _Filter | None, body: Callable[[_Reply], object]) -> api.hcm.ResponseMapper:
    """Reject a POST without a body, on which nothing was decided, where no route can."""
    reply = next(reply for reply in _REPLIES if reply.status == 400)
    mapper = _mapper(reply, None, body(reply))
    undecided = _cel(
        f"response.code_details == 'cluster_not_found' && request.method == 'POST' && !('{ROUTE_HEADER}' in request.headers)"
    )
    mapper.filter = undecided if extra is None else _all_of([undecided, extra])
    mapper.status_code = reply.status
    return mapper


def _mapper(reply: _Reply, extra: _Filter | None, body: object) -> api.hcm.ResponseMapper:
    filters = [_status(_EQ, reply.status)]
    if reply.flags:
        filters.append(_Filter(response_flag_filter=api.accesslog.ResponseFlagFilter(flags=list(reply.flags))))
    if reply.details:
        filters.append(_cel(f"response.code_details.startsWith('{reply.details}')"))
    if extra is not None:
        filters.append(extra)
    return api.hcm.ResponseMapper(
        filter=_all_of(filters),
        status_code=reply.becomes or None,
        body_format_override=_json(body),
        headers_to_add=_headers(reply),
    )


def _headers(reply: _Reply) -> list[api.core.HeaderValueOption]:
    return [api.core.HeaderValueOption(header=api.core.HeaderValue(key=key, value=value)) for key, value in reply.headers]


def _openai(reply: _Reply) -> object:
    return {
        "error": {
            "message": reply.message,
            "type": openai_type(reply.becomes or reply.status),
            "param": None,
            "code": reply.code,
        }
    }


def _anthropic(reply: _Reply) -> object:
    return {"type": "error", "error": {"type": anthropic_type(reply.becomes or reply.status), "message": reply.message}}


def _json(body: object) -> api.core.SubstitutionFormatString:
    # A format string: % starts a command.
    text = json.dumps(body, separators=(",", ":")).replace("%", "%%")
    return api.core.SubstitutionFormatString(
        text_format_source=api.core.DataSource(inline_string=text), content_type="application/json"
    )


def _messages_api() -> _Filter:
    """Match requests of Anthropic's API: by path, or by the API that ext_proc recorded before it changed the path."""
    known = api.accesslog.MetadataFilter(
        matcher=api.matcher.MetadataMatcher(
            filter=METADATA_NAMESPACE,
            path=[api.matcher.MetadataMatcherPathSegment(key=METADATA_API)],
            value=api.matcher.ValueMatcher(
                string_match=api.matcher.StringMatcher(safe_regex=api.matcher.RegexMatcher(regex=_MESSAGES_APIS))
            ),
        ),
        match_if_key_not_found=False,
    )
    path = api.route.HeaderMatcher(name=":path", string_match=api.matcher.StringMatcher(prefix=_MESSAGES_PATH))
    either = [_Filter(metadata_filter=known), _Filter(header_filter=api.accesslog.HeaderFilter(header=path))]
    return _Filter(or_filter=api.accesslog.OrFilter(filters=either))


def _all_of(filters: list[_Filter]) -> _Filter:
    return filters[0] if len(filters) == 1 else _Filter(and_filter=api.accesslog.AndFilter(filters=filters))


def _status(op: api.accesslog.ComparisonFilterOp, status: int) -> _Filter:
    value = api.core.RuntimeUInt32(default_value=status, runtime_key="plano.local_reply.status")
    return _Filter(
        status_code_filter=api.accesslog.StatusCodeFilter(comparison=api.accesslog.ComparisonFilter(op=op, value=value))
    )


def _cel(expression: str) -> _Filter:
    config = api.cel_filter.ExpressionFilter(expression=expression)
    return _Filter(
        extension_filter=api.accesslog.ExtensionFilter(
            name="envoy.access_loggers.extension_filters.cel", typed_config=api.pack(config)
        )
    )
