"""Matchers of routes by headers, and direct response routes."""

from control_plane.xds import api
from control_plane.xds.http_filters.native_path import skip_decision


def by_header(
    header: str, actions: dict[str, api.xds_matcher.MatcherOnMatch], otherwise: api.xds_matcher.MatcherOnMatch
) -> api.xds_matcher.Matcher:
    """Match a header by a map, because Envoy searches a list linearly."""
    if not actions:
        return api.xds_matcher.Matcher(on_no_match=otherwise)
    return api.xds_matcher.Matcher(
        matcher_tree=api.xds_matcher.MatcherMatcherTree(
            input=_header(header), exact_match_map=api.xds_matcher.MatcherMatcherTreeMatchMap(map=actions)
        ),
        on_no_match=otherwise,
    )


def header_matches(header: str, regex: str) -> api.xds_matcher.MatcherMatcherListPredicate:
    """Match the whole value of a header; a missing header does not match."""
    value = api.xds_matcher.StringMatcher(
        safe_regex=api.xds_matcher.RegexMatcher(google_re2=api.xds_matcher.RegexMatcherGoogleRe2(), regex=regex)
    )
    single = api.xds_matcher.MatcherMatcherListPredicateSinglePredicate(input=_header(header), value_match=value)
    return api.xds_matcher.MatcherMatcherListPredicate(single_predicate=single)


def on_match(route: api.route.Route) -> api.xds_matcher.MatcherOnMatch:
    """Take a route."""
    action = api.xds_core.TypedExtensionConfig(name=route.name, typed_config=api.pack(route))
    return api.xds_matcher.MatcherOnMatch(action=action)


def reply_route(name: str, status: int) -> api.route.Route:
    """Build a direct response route; its body is the listener's local reply, in the shape of the client's API."""
    match = api.route.RouteMatch(prefix="/")
    return api.route.Route(name=name, match=match, direct_response=api.route.DirectResponseAction(status=status))


def refusal(name: str, status: int) -> api.route.Route:
    """Build a direct response route that answers before the body arrives, without ext_proc."""
    route = reply_route(name, status)
    route.typed_per_filter_config = skip_decision()
    return route


def _header(name: str) -> api.xds_core.TypedExtensionConfig:
    read = api.pack(api.matcher.HttpRequestHeaderMatchInput(header_name=name))
    return api.xds_core.TypedExtensionConfig(name=name, typed_config=read)
