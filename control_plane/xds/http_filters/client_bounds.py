"""The http_filter `plano.client_bounds`: caps the `x-envoy-*` headers of trusted clients.

Only requests with such a header are processed, because parsing its number is expensive.
"""

from typing import Final

from control_plane import ir
from control_plane.xds import api

FILTER_NAME: Final = "plano.client_bounds"
ENVOYS: Final = "x-envoy-"
_RETRIES: Final = "max-retries"
_TIMEOUTS: Final = ("upstream-rq-timeout-ms", "upstream-rq-per-try-timeout-ms")
BOUNDED: Final = (_RETRIES, *_TIMEOUTS)
"""Headers that have a bound, without their prefix."""

_OVERWRITE: Final = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS
_Predicate = api.xds_matcher.MatcherMatcherListPredicate


def build_client_bounds(limits: ir.Limits) -> api.hcm.HttpFilter:
    """Build the filter; the connection manager has already removed the headers of untrusted clients."""
    some = _Predicate(
        or_matcher=api.xds_matcher.MatcherMatcherListPredicatePredicateList(predicate=[_has(name) for name in BOUNDED])
    )
    matcher = api.xds_matcher.MatcherMatcherListFieldMatcher(predicate=some, on_match=_bound(limits))
    matching = api.matching.ExtensionWithMatcher(
        extension_config=api.extension("envoy.filters.http.composite", api.composite.Composite()),
        xds_matcher=api.xds_matcher.Matcher(matcher_list=api.xds_matcher.MatcherMatcherList(matchers=[matcher])),
    )
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(matching))


def _bound(limits: ir.Limits) -> api.xds_matcher.MatcherOnMatch:
    milliseconds = int(limits.client_max_timeout_seconds * 1000)
    mutations = [_at_most(_RETRIES, limits.client_max_retries)]
    mutations += [_at_most(name, milliseconds, zero_is_endless=True) for name in _TIMEOUTS]
    config = api.header_mutation.HeaderMutation(mutations=api.header_mutation.Mutations(request_mutations=mutations))
    action = api.composite.ExecuteFilterAction(typed_config=api.extension("envoy.filters.http.header_mutation", config))
    return api.xds_matcher.MatcherOnMatch(action=api.xds_extension("envoy.filters.http.composite", action))


def _at_most(name: str, most: int, *, zero_is_endless: bool = False) -> api.mutation.HeaderMutation:
    """Cap a header at its bound; a value that is not a number stays, and Envoy ignores it."""
    value = f"request.headers['{ENVOYS}{name}']"
    is_beyond = f"int({value}) > {most}" + (f" || int({value}) == 0" if zero_is_endless else "")
    bounded = f"%CEL({is_beyond} ? '{most}' : {value})%"
    header = api.core.HeaderValue(key=f"{ENVOYS}{name}", value=bounded)
    return api.mutation.HeaderMutation(append=api.core.HeaderValueOption(header=header, append_action=_OVERWRITE))


def _has(name: str) -> _Predicate:
    read = api.matcher.HttpRequestHeaderMatchInput(header_name=f"{ENVOYS}{name}")
    anything = api.xds_matcher.RegexMatcher(google_re2=api.xds_matcher.RegexMatcherGoogleRe2(), regex=".*")
    return _Predicate(
        single_predicate=api.xds_matcher.MatcherMatcherListPredicateSinglePredicate(
            input=api.xds_extension(name, read), value_match=api.xds_matcher.StringMatcher(safe_regex=anything)
        )
    )
