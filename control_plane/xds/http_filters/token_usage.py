"""The http_filters that read the token usage of answers in Envoy, including those of answers that ext_proc does not see.

Envoy 1.40's `ai_protocol_manager` reads answers as they pass, streams included, without buffering. It is marked as work in
progress; docs/adr/0018-token-usage-read-by-envoy.md lists the alternatives. Its result is typed metadata, which only CEL reads.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from pydantic.dataclasses import dataclass

from control_plane.xds import api

_NAMESPACE: Final = "envoy.ai.token_usage"
USAGE: Final = f"metadata.typed_filter_metadata['{_NAMESPACE}']"
"""CEL: envoy.data.ai.v3.TokenUsage of an answer; cached, written and reasoning tokens are parts of the others."""

IS_KNOWN: Final = f"'{_NAMESPACE}' in metadata.typed_filter_metadata && {USAGE}.extraction_status != 3"
"""CEL: whether an answer has reported its usage. 3 is FAILED."""

TOKENS: Final = {
    "input": f"%CEL({USAGE}.input_tokens)%",
    "cached_input": f"%CEL({USAGE}.input_token_details.cached_tokens)%",
    "cache_write": f"%CEL({USAGE}.input_token_details.cache_creation_tokens)%",
    "output": f"%CEL({USAGE}.output_tokens)%",
    "reasoning": f"%CEL({USAGE}.output_token_details.reasoning_tokens)%",
}
"""Kind of tokens -> the access log format of their number."""

RESPONSE_MODEL: Final = f"%CEL({USAGE}.model)%"
"""The provider's name of the model that answered."""


class LlmProtocol(IntEnum):
    """envoy.type.ai.v3.LLMProtocol, as far as it is used here."""

    OPENAI_CHAT_COMPLETIONS = 1
    OPENAI_RESPONSES = 2
    ANTHROPIC_MESSAGES = 3


# Messages of Envoy 1.40 that envoy-data-plane lacks.


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class TokenUsageExtractionLimits(api.betterproto2.Message):
    """envoy.extensions.filters.http.ai_protocol_manager.v3.TokenUsageExtractionLimits."""

    max_json_body_size: "int | None" = api.betterproto2.field(
        2, api.betterproto2.TYPE_MESSAGE, unwrap=lambda: api.protobuf.UInt32Value, optional=True
    )


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class TokenUsageExtraction(api.betterproto2.Message):
    """envoy.extensions.filters.http.ai_protocol_manager.v3.TokenUsageExtraction."""

    include_unconfigured_routes: "bool" = api.betterproto2.field(1, api.betterproto2.TYPE_BOOL)
    default_llm_protocol: "int" = api.betterproto2.field(2, api.betterproto2.TYPE_INT32)
    limits: "TokenUsageExtractionLimits | None" = api.betterproto2.field(4, api.betterproto2.TYPE_MESSAGE, optional=True)


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class ResponseHandling(api.betterproto2.Message):
    """envoy.extensions.filters.http.ai_protocol_manager.v3.ResponseHandling."""

    token_usage: "TokenUsageExtraction | None" = api.betterproto2.field(1, api.betterproto2.TYPE_MESSAGE, optional=True)


@dataclass(eq=False, repr=False, config={"extra": "forbid"})
class AiProtocolManager(api.betterproto2.Message):
    """envoy.extensions.filters.http.ai_protocol_manager.v3.AiProtocolManager."""

    response_handling: "ResponseHandling | None" = api.betterproto2.field(2, api.betterproto2.TYPE_MESSAGE, optional=True)


_TYPE_URL: Final = "type.googleapis.com/envoy.extensions.filters.http.ai_protocol_manager.v3.AiProtocolManager"

# In place of the message of that name that envoy-data-plane has, which is empty.
api.default_message_pool.url_to_type[_TYPE_URL] = AiProtocolManager
api.default_message_pool.type_to_url[AiProtocolManager] = _TYPE_URL

_OWN_PATHS: Final = {
    "messages": ("/v1/messages", LlmProtocol.ANTHROPIC_MESSAGES),
    "responses": ("/v1/responses", LlmProtocol.OPENAI_RESPONSES),
}
"""APIs by path; other answers count like Chat Completions."""

_MAX_ANSWER_BYTES: Final = 10 << 20
"""Envoy's maximum: usage is not read in larger answers."""


def build_token_usage() -> list[api.hcm.HttpFilter]:
    """Build one filter per usage format, of which the client's path enables one."""
    paths = [_path_begins(prefix) for prefix, _ in _OWN_PATHS.values()]
    own = [_filter(name, protocol, _not(_path_begins(prefix))) for name, (prefix, protocol) in _OWN_PATHS.items()]
    return [*own, _filter("chat_completions", LlmProtocol.OPENAI_CHAT_COMPLETIONS, _any_of(paths))]


def _filter(name: str, protocol: LlmProtocol, skipped: api.xds_matcher.MatcherMatcherListPredicate) -> api.hcm.HttpFilter:
    extraction = TokenUsageExtraction(
        include_unconfigured_routes=True,
        default_llm_protocol=int(protocol),
        limits=TokenUsageExtractionLimits(max_json_body_size=_MAX_ANSWER_BYTES),
    )
    config = AiProtocolManager(response_handling=ResponseHandling(token_usage=extraction))
    skip = api.xds_core.TypedExtensionConfig(name="skip", typed_config=api.pack(api.matcher_action.SkipFilter()))
    rule = api.xds_matcher.MatcherMatcherListFieldMatcher(
        predicate=skipped, on_match=api.xds_matcher.MatcherOnMatch(action=skip)
    )
    guarded = api.matching.ExtensionWithMatcher(
        xds_matcher=api.xds_matcher.Matcher(matcher_list=api.xds_matcher.MatcherMatcherList(matchers=[rule])),
        extension_config=api.extension("envoy.filters.http.ai_protocol_manager", config),
    )
    return api.hcm.HttpFilter(name=f"plano.usage.{name}", typed_config=api.pack(guarded))


def _path_begins(prefix: str) -> api.xds_matcher.MatcherMatcherListPredicate:
    path = api.xds_extension(":path", api.matcher.HttpRequestHeaderMatchInput(header_name=":path"))
    single = api.xds_matcher.MatcherMatcherListPredicateSinglePredicate(
        input=path, value_match=api.xds_matcher.StringMatcher(prefix=prefix)
    )
    return api.xds_matcher.MatcherMatcherListPredicate(single_predicate=single)


def _not(predicate: api.xds_matcher.MatcherMatcherListPredicate) -> api.xds_matcher.MatcherMatcherListPredicate:
    return api.xds_matcher.MatcherMatcherListPredicate(not_matcher=predicate)


def _any_of(
    predicates: Sequence[api.xds_matcher.MatcherMatcherListPredicate],
) -> api.xds_matcher.MatcherMatcherListPredicate:
    either = api.xds_matcher.MatcherMatcherListPredicatePredicateList(predicate=list(predicates))
    return api.xds_matcher.MatcherMatcherListPredicate(or_matcher=either)
