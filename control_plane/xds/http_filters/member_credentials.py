"""Upstream http_filters of a chain that send each attempt with the credentials of its member, which come over SDS.

A chain has the injectors of all members, each of which is skipped unless Envoy picked an endpoint of that member.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.credential_injector import build_credential_injectors

MEMBER_KEY: Final = "member"
"""Key of an endpoint's metadata in the namespace `plano`: the member whose credentials are sent."""

_HEADER: Final = "x-plano-member"
"""Temporary request header with the member of an attempt, for these filters only."""


def build_member_credentials(clusters: Sequence[ir.Cluster]) -> list[api.hcm.HttpFilter]:
    """Build the filters for the members' clusters; none if no member authenticates."""
    headers = sorted({injected.header for cluster in clusters for injected in cluster.injected_headers})
    if not headers:
        return []
    # Otherwise the previous attempt's credential would stay.
    begin = [*map(_remove, headers), _name_member()]
    injectors = [injector for cluster in clusters for injector in _injectors(cluster)]
    return [_mutations("plano.member", begin), *injectors, _mutations("plano.member.end", [_remove(_HEADER)])]


def _injectors(cluster: ir.Cluster) -> Iterator[api.hcm.HttpFilter]:
    for injector in build_credential_injectors(cluster.injected_headers):
        guarded = api.matching.ExtensionWithMatcher(
            xds_matcher=_skip_others(cluster.name),
            extension_config=api.core.TypedExtensionConfig(name=injector.name, typed_config=injector.typed_config),
        )
        yield api.hcm.HttpFilter(name=f"{injector.name} of {cluster.name}", typed_config=api.pack(guarded))


def _skip_others(member: str) -> api.xds_matcher.Matcher:
    is_member = api.xds_matcher.MatcherMatcherListPredicateSinglePredicate(
        input=api.xds_core.TypedExtensionConfig(
            name=_HEADER, typed_config=api.pack(api.matcher.HttpRequestHeaderMatchInput(header_name=_HEADER))
        ),
        value_match=api.xds_matcher.StringMatcher(exact=member),
    )
    is_other = api.xds_matcher.MatcherMatcherListPredicate(
        not_matcher=api.xds_matcher.MatcherMatcherListPredicate(single_predicate=is_member)
    )
    skip = api.xds_core.TypedExtensionConfig(name="skip", typed_config=api.pack(api.matcher_action.SkipFilter()))
    rule = api.xds_matcher.MatcherMatcherListFieldMatcher(
        predicate=is_other, on_match=api.xds_matcher.MatcherOnMatch(action=skip)
    )
    return api.xds_matcher.Matcher(matcher_list=api.xds_matcher.MatcherMatcherList(matchers=[rule]))


def _mutations(name: str, mutations: list[api.mutation.HeaderMutation]) -> api.hcm.HttpFilter:
    config = api.header_mutation.HeaderMutation(mutations=api.header_mutation.Mutations(request_mutations=mutations))
    return api.hcm.HttpFilter(name=name, typed_config=api.pack(config))


def _remove(header: str) -> api.mutation.HeaderMutation:
    return api.mutation.HeaderMutation(remove=header)


def _name_member() -> api.mutation.HeaderMutation:
    value = api.core.HeaderValue(key=_HEADER, value=f"%UPSTREAM_METADATA(plano:{MEMBER_KEY})%")
    overwrite = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    return api.mutation.HeaderMutation(append=api.core.HeaderValueOption(header=value, append_action=overwrite))
