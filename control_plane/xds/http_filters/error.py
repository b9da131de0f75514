"""The http_filter `plano.errors`: a provider's error on a plain route is told in the client's API; nothing else is looked at.

Envoy's composite filter begins an ext_proc call only for a response that came from upstream with a status of 400 or more; any
other passes without a message, and so do Envoy's own replies and refusals of the decide stage, which have the right shape.
See docs/adr/0010-errors-of-plain-routes.md.
"""

from typing import Final

from control_plane.xds import api
from control_plane.xds.http_filters.cel import attribute_is
from control_plane.xds.http_filters.ext_proc import build_grpc_service
from protos.contract.metadata import METADATA_NAMESPACE
from protos.contract.stages import STAGE_ERRORS

FILTER_NAME: Final = "plano.errors"

_ANSWER_SECONDS: Final = 5.0
_UPSTREAM: Final = "via_upstream"
"""Envoy's response code details for what an upstream answered."""

_Predicate = api.xds_matcher.MatcherMatcherListPredicate
_Single = api.xds_matcher.MatcherMatcherListPredicateSinglePredicate


def build_errors() -> api.hcm.HttpFilter:
    """Build the stage, the same for every model listener."""
    matching = api.matching.ExtensionWithMatcher(
        extension_config=api.extension("envoy.filters.http.composite", api.composite.Composite()),
        xds_matcher=api.xds_matcher.Matcher(
            matcher_list=api.xds_matcher.MatcherMatcherList(
                matchers=[api.xds_matcher.MatcherMatcherListFieldMatcher(predicate=_an_upstreams_error(), on_match=_ask())]
            )
        ),
    )
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(matching))


def _ask() -> api.xds_matcher.MatcherOnMatch:
    headers, body = api.ext_proc.ProcessingModeHeaderSendMode, api.ext_proc.ProcessingModeBodySendMode
    config = api.ext_proc.ExternalProcessor(
        grpc_service=build_grpc_service(stage=STAGE_ERRORS),
        processing_mode=api.ext_proc.ProcessingMode(
            request_header_mode=headers.SKIP,
            request_body_mode=body.NONE,
            request_trailer_mode=headers.SKIP,
            response_header_mode=headers.SEND,
            response_body_mode=body.BUFFERED,
            response_trailer_mode=headers.SKIP,
        ),
        message_timeout=api.duration(_ANSWER_SECONDS),
        # Without ext_proc the provider's own words are better than none.
        failure_mode_allow=True,
        metadata_options=api.ext_proc.MetadataOptions(
            forwarding_namespaces=api.ext_proc.MetadataOptionsMetadataNamespaces(untyped=[METADATA_NAMESPACE])
        ),
    )
    action = api.composite.ExecuteFilterAction(typed_config=api.extension(FILTER_NAME, config))
    return api.xds_matcher.MatcherOnMatch(action=api.xds_extension("envoy.filters.http.composite", action))


def _an_upstreams_error() -> _Predicate:
    either = api.xds_matcher.MatcherMatcherListPredicatePredicateList(predicate=[_class("4xx"), _class("5xx")])
    # The status first: until it is known nothing is decided, and most responses are done with it.
    both = [_Predicate(or_matcher=either), _Predicate(single_predicate=attribute_is("response", "code_details", _UPSTREAM))]
    return _Predicate(and_matcher=api.xds_matcher.MatcherMatcherListPredicatePredicateList(predicate=both))


def _class(name: str) -> _Predicate:
    read = api.xds_extension("status_code_class", api.matcher.HttpResponseStatusCodeClassMatchInput())
    return _Predicate(single_predicate=_Single(input=read, value_match=api.xds_matcher.StringMatcher(exact=name)))
