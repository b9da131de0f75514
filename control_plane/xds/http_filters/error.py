"""The http_filter `plano.errors`: ext_proc renders provider answers on plain routes that the client could not read.

Errors and HTML pages become errors in the client's API; JSON becomes a requested stream, and a stream a requested whole
answer. Envoy's composite filter starts an ext_proc call only for an upstream response with a status of 400 or more, an empty
status of 300 or more, empty, or with another type than the client reads, as decide has said. Any other passes without a
including local replies and rejections by the decide stage, which have the right shape.
See docs/adr/0010-provider-errors-on-plain-routes.md.
"""

from typing import Final

from control_plane.xds import api
from control_plane.xds.http_filters.cel import attribute_is
from control_plane.xds.http_filters.ext_proc import build_grpc_service
from protos.contract.metadata import EXPECTS_EVENTS, EXPECTS_JSON, METADATA_EXPECTS, METADATA_NAMESPACE
from protos.contract.stages import STAGE_ANSWERS, STAGE_ERRORS

FILTER_NAME: Final = "plano.errors"

_ANSWER_SECONDS: Final = 5.0
_UPSTREAM: Final = "via_upstream"
"""Envoy's response code details for an upstream's answer."""
_TYPES: Final = {
    EXPECTS_JSON: r"(?i)\s*[a-z]+/([a-z0-9.+-]+\+)?json\s*(;.*)?",
    EXPECTS_EVENTS: r"(?i)\s*text/event-stream\s*(;.*)?",
}
"""What a client expects -> its content type."""

_Predicate = api.xds_matcher.MatcherMatcherListPredicate
_Predicates = api.xds_matcher.MatcherMatcherListPredicatePredicateList
_Single = api.xds_matcher.MatcherMatcherListPredicateSinglePredicate
_Rule = api.xds_matcher.MatcherMatcherListFieldMatcher


def build_errors() -> api.hcm.HttpFilter:
    """Build the stage, the same for every model listener."""
    body = api.ext_proc.ProcessingModeBodySendMode
    rules = [
        _Rule(predicate=_an_upstreams_error(), on_match=_ask(STAGE_ERRORS, body.BUFFERED)),
        # Held as little as possible: what only calls itself by a wrong name is let go with its first bytes.
        _Rule(predicate=_in_another_form(), on_match=_ask(STAGE_ANSWERS, body.FULL_DUPLEX_STREAMED)),
    ]
    matching = api.matching.ExtensionWithMatcher(
        extension_config=api.extension("envoy.filters.http.composite", api.composite.Composite()),
        xds_matcher=api.xds_matcher.Matcher(matcher_list=api.xds_matcher.MatcherMatcherList(matchers=rules)),
    )
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(matching))


def leave_errors_alone() -> dict[str, api.protobuf.Any]:
    """Build what a route says whose answers ext_proc has made: errors are in the client's API there."""
    return {FILTER_NAME: api.pack(api.route.FilterConfig(disabled=True))}


def _ask(stage: str, body_mode: api.ext_proc.ProcessingModeBodySendMode) -> api.xds_matcher.MatcherOnMatch:
    headers, body = api.ext_proc.ProcessingModeHeaderSendMode, api.ext_proc.ProcessingModeBodySendMode
    is_buffered = body_mode == body.BUFFERED
    config = api.ext_proc.ExternalProcessor(
        grpc_service=build_grpc_service(stage=stage),
        processing_mode=api.ext_proc.ProcessingMode(
            request_header_mode=headers.SKIP,
            request_body_mode=body.NONE,
            request_trailer_mode=headers.SKIP,
            response_header_mode=headers.SEND,
            response_body_mode=body_mode,
            response_trailer_mode=headers.SKIP if is_buffered else headers.SEND,
        ),
        message_timeout=api.duration(_ANSWER_SECONDS),
        # Without ext_proc the provider's own body is better than none.
        failure_mode_allow=is_buffered,
        metadata_options=api.ext_proc.MetadataOptions(
            forwarding_namespaces=api.ext_proc.MetadataOptionsMetadataNamespaces(untyped=[METADATA_NAMESPACE])
        ),
    )
    action = api.composite.ExecuteFilterAction(typed_config=api.extension(FILTER_NAME, config))
    return api.xds_matcher.MatcherOnMatch(action=api.xds_extension("envoy.filters.http.composite", action))


def _an_upstreams_error() -> _Predicate:
    # The status first: it is not known on requests, and it excludes most responses.
    return _all(_any(_class("4xx"), _class("5xx"), _class("3xx")), _from_upstream())


def _in_another_form() -> _Predicate:
    unlike = (_all(_Predicate(not_matcher=_header("content-type", _TYPES[form])), _expects(form)) for form in _TYPES)
    is_empty = _any(_header("content-length", "0"), _header(":status", "204"))
    empty = _all(is_empty, _any(*map(_expects, _TYPES)))
    return _all(_class("2xx"), _any(*unlike, empty), _from_upstream())


def _all(*predicates: _Predicate) -> _Predicate:
    return _Predicate(and_matcher=_Predicates(predicate=list(predicates)))


def _any(*predicates: _Predicate) -> _Predicate:
    return _Predicate(or_matcher=_Predicates(predicate=list(predicates)))


def _from_upstream() -> _Predicate:
    return _Predicate(single_predicate=attribute_is(_UPSTREAM, "response", "code_details"))


def _expects(form: str) -> _Predicate:
    path = ("metadata", "filter_metadata", METADATA_NAMESPACE, METADATA_EXPECTS)
    return _Predicate(single_predicate=attribute_is(form, *path))


def _header(name: str, value: str) -> _Predicate:
    read = api.xds_extension(name, api.matcher.HttpResponseHeaderMatchInput(header_name=name))
    regex = api.xds_matcher.RegexMatcher(google_re2=api.xds_matcher.RegexMatcherGoogleRe2(), regex=value)
    return _Predicate(single_predicate=_Single(input=read, value_match=api.xds_matcher.StringMatcher(safe_regex=regex)))


def _class(name: str) -> _Predicate:
    read = api.xds_extension("status_code_class", api.matcher.HttpResponseStatusCodeClassMatchInput())
    return _Predicate(single_predicate=_Single(input=read, value_match=api.xds_matcher.StringMatcher(exact=name)))
