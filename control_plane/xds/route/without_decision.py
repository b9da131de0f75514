"""Routes of requests without a decision, which every request is until ext_proc answers.

Requests that no API accepts are rejected here, without ext_proc: CONNECT, and bodies that are not JSON, which is
all that a web page of another site could send without asking first. The few APIs that take forms take them from no page.

If decisions need the body, a request without a body stays here. So does anything but a POST: it uses no API that clients post
to, so only its headers are sent to ext_proc, which lists models or returns an error.
"""

from typing import Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.attempt import let_attempts_detach
from control_plane.xds.http_filters.cors import origin_regex
from control_plane.xds.http_filters.ext_proc import FILTER_NAME, build_grpc_service, processing_mode
from control_plane.xds.http_filters.native_path import send_natively
from control_plane.xds.route.matching import by_header, header_matches, on_match, refusal, reply_route
from protos.contract.headers import MAY_DETACH_HEADER, ROUTE_HEADER
from protos.contract.passthrough import path_regex
from protos.contract.stages import STAGE_DECIDE

_JSON: Final = r"(?i)\s*application/([!#$&^_.+a-z0-9-]+\+)?json\s*(;.*)?"

_FORM: Final = r"(?i)\s*multipart/form-data\s*;.*"

_Matcher = api.xds_matcher.MatcherMatcherListFieldMatcher
_Predicate = api.xds_matcher.MatcherMatcherListPredicate
_All = api.xds_matcher.MatcherMatcherListPredicatePredicateList


def build_undecided(listener: ir.Listener) -> api.xds_matcher.MatcherOnMatch:
    """Build a listener's routes for requests without a decision."""
    is_models = listener.kind is ir.ListenerKind.MODEL
    readable = _All(predicate=[header_matches("content-type", _JSON), *([_form(listener)] if is_models else [])])
    unreadable = _Predicate(not_matcher=_Predicate(or_matcher=readable) if is_models else readable.predicate[0])
    other_body = _All(predicate=[header_matches(":method", "POST"), unreadable])
    refused = [
        _Matcher(predicate=header_matches(":method", "CONNECT"), on_match=on_match(_connect())),
        _Matcher(predicate=_Predicate(and_matcher=other_body), on_match=on_match(refusal("(not json)", 415))),
    ]
    if is_models and not listener.shows_headers:
        refused.append(_Matcher(predicate=header_matches(":path", path_regex()), on_match=on_match(_passed(listener))))
    return api.xds_matcher.MatcherOnMatch(
        matcher=api.xds_matcher.Matcher(
            matcher_list=api.xds_matcher.MatcherMatcherList(matchers=refused), on_no_match=_taken(listener)
        )
    )


def _form(listener: ir.Listener) -> _Predicate:
    """Match a form where one is taken. Any page could post it without asking, so none may but those that `cors` names.

    Browsers name the page's origin with every POST that they do not ask about first.
    """
    not_of_a_page = _Predicate(not_matcher=header_matches("origin", ".*"))
    known = [header_matches("origin", origin_regex(listener.cors))] if listener.cors is not None else []
    whose = _Predicate(or_matcher=_All(predicate=[not_of_a_page, *known])) if known else not_of_a_page
    is_form = [header_matches("content-type", _FORM), header_matches(":path", path_regex(forms_only=True))]
    return _Predicate(and_matcher=_All(predicate=[*is_form, whose]))


def _passed(listener: ir.Listener) -> api.route.Route:
    """Show ext_proc the headers and then the body, if there is one: the provider may be named by a header."""
    route = _reply(listener, "(passed)", 404)
    overrides = api.ext_proc.ExtProcOverrides(
        processing_mode=processing_mode(sends_headers=True),
        grpc_service=build_grpc_service(stage=STAGE_DECIDE, listener=listener.name),
    )
    route.typed_per_filter_config = {FILTER_NAME: api.pack(api.ext_proc.ExtProcPerRoute(overrides=overrides))}
    return route


def _connect() -> api.route.Route:
    route = refusal("(connect)", 403)
    route.match = api.route.RouteMatch(connect_matcher=api.route.RouteMatchConnectMatcher())
    return route


def _taken(listener: ir.Listener) -> api.xds_matcher.MatcherOnMatch:
    if listener.shows_headers:  # every request is sent to ext_proc
        return on_match(_reply(listener, "(none)", 404))
    no_body = _reply(listener, "(no body)", 400)
    if listener.native_path is not None:
        no_body.typed_per_filter_config = send_natively(listener.native_path)
    not_post = _reply(listener, "(not a post)", 404)
    not_post.typed_per_filter_config = {FILTER_NAME: api.pack(_shows_headers())}
    return api.xds_matcher.MatcherOnMatch(matcher=by_header(":method", {"POST": on_match(no_body)}, on_match(not_post)))


def _reply(listener: ir.Listener, name: str, status: int) -> api.route.Route:
    """Answer by a direct response; with CORS by a missing cluster, because Envoy's cors filter skips direct responses.

    The status of a missing cluster is 404. The listener's local replies turn it into 400 for requests without a body.
    """
    if listener.cors is None:
        return reply_route(name, status)
    nowhere = api.route.RouteAction(
        cluster_header=ROUTE_HEADER,
        cluster_not_found_response_code=api.route.RouteActionClusterNotFoundResponseCode.NOT_FOUND,
    )
    return api.route.Route(name=name, match=api.route.RouteMatch(prefix="/"), route=nowhere)


def build_unresolved() -> api.xds_matcher.MatcherOnMatch:
    """Build the attempts listener's routes until the attempt stage has named a target; they select the stage's mode."""
    may_detach = reply_route("(may detach)", 404)
    may_detach.typed_per_filter_config = let_attempts_detach()
    otherwise = on_match(reply_route("(none)", 404))
    return api.xds_matcher.MatcherOnMatch(matcher=by_header(MAY_DETACH_HEADER, {"true": on_match(may_detach)}, otherwise))


def _shows_headers() -> api.ext_proc.ExtProcPerRoute:
    overrides = api.ext_proc.ExtProcOverrides(processing_mode=processing_mode(sends_headers=True))
    return api.ext_proc.ExtProcPerRoute(overrides=overrides)
