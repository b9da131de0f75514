"""An upstream http_filter that moves a client's own key to the header of its provider: some clients send `x-api-key`."""

from typing import Final

from control_plane.xds import api

_WANTED: Final = "authorization"
_SENT: Final = "x-api-key"
_OVERWRITE: Final = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD

_RE2: Final = api.xds_matcher.RegexMatcherGoogleRe2()

_List = api.xds_matcher.MatcherMatcherList
_Predicate = api.xds_matcher.MatcherMatcherListPredicate


def build_client_token() -> list[api.hcm.HttpFilter]:
    """Build the filter, which is skipped if the client sent a token, or no key."""
    token = api.core.HeaderValue(key=_WANTED, value=f"Bearer %REQ({_SENT})%")
    mutations = [
        api.mutation.HeaderMutation(append=api.core.HeaderValueOption(header=token, append_action=_OVERWRITE)),
        api.mutation.HeaderMutation(remove=_SENT),
    ]
    config = api.header_mutation.HeaderMutation(mutations=api.header_mutation.Mutations(request_mutations=mutations))
    guarded = api.matching.ExtensionWithMatcher(
        xds_matcher=_skip(_Predicate(or_matcher=_any_of(_has(_WANTED), _Predicate(not_matcher=_has(_SENT))))),
        extension_config=api.extension("plano.client_token", config),
    )
    return [api.hcm.HttpFilter(name="plano.client_token", typed_config=api.pack(guarded))]


def _skip(predicate: _Predicate) -> api.xds_matcher.Matcher:
    skip = api.xds_extension("skip", api.matcher_action.SkipFilter())
    rule = api.xds_matcher.MatcherMatcherListFieldMatcher(
        predicate=predicate, on_match=api.xds_matcher.MatcherOnMatch(action=skip)
    )
    return api.xds_matcher.Matcher(matcher_list=_List(matchers=[rule]))


def _any_of(*predicates: _Predicate) -> api.xds_matcher.MatcherMatcherListPredicatePredicateList:
    return api.xds_matcher.MatcherMatcherListPredicatePredicateList(predicate=list(predicates))


def _has(header: str) -> _Predicate:
    anything = api.xds_matcher.StringMatcher(safe_regex=api.xds_matcher.RegexMatcher(google_re2=_RE2, regex=".+"))
    return _Predicate(
        single_predicate=api.xds_matcher.MatcherMatcherListPredicateSinglePredicate(
            input=api.xds_extension(header, api.matcher.HttpRequestHeaderMatchInput(header_name=header)),
            value_match=anything,
        )
    )
