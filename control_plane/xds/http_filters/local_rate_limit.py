"""ir.RateLimit -> Envoy's local rate limit, whose buckets all threads of one Envoy share.

The decide stage sets the model and an estimate of the tokens as dynamic metadata. A request that exceeds a bucket
leaves it unchanged; if there are several buckets, those that Envoy checked before have lost its tokens.
https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter
"""

from typing import Final

from control_plane import ir
from control_plane.xds import api
from protos.contract.metadata import METADATA_MODEL, METADATA_NAMESPACE, METADATA_TOKENS

_FILTER: Final = "envoy.filters.http.local_ratelimit"
_MODEL: Final = "model"
_MOST_VALUES: Final = 10_000
"""Maximum of buckets for values of a header; the least recently used one is dropped, and starts full again."""
_BOUNDLESS: Final = 2**32 - 1


def build_rate_limit(limits: tuple[ir.RateLimit, ...], stat_prefix: str) -> api.hcm.HttpFilter:
    """Build the filter that answers 429 when the tokens are used up."""
    always = api.core.RuntimeFractionalPercent(default_value=api.type_v3.FractionalPercent(numerator=100))
    config = api.local_ratelimit.LocalRateLimit(
        stat_prefix=stat_prefix,
        filter_enabled=always,
        filter_enforced=always,
        # Envoy requires a bucket also for requests without a limit.
        token_bucket=_bucket(_BOUNDLESS, 1),
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=_MOST_VALUES,
        rate_limits=[_counted(header) for header in sorted({limit.header for limit in limits})],
        descriptors=[_descriptor(limit) for limit in limits],
    )
    return api.hcm.HttpFilter(name=_FILTER, typed_config=api.pack(config))


def _counted(header: str) -> api.route.RateLimit:
    """Build the descriptor of a request with the header: model, value and tokens."""
    segment = api.metadata.MetadataKeyPathSegment(key=METADATA_MODEL)
    model = api.route.RateLimitActionMetaData(
        descriptor_key=_MODEL,
        metadata_key=api.metadata.MetadataKey(key=METADATA_NAMESPACE, path=[segment]),
        source=api.route.RateLimitActionMetaDataSource.DYNAMIC,
    )
    value = api.route.RateLimitActionRequestHeaders(header_name=header, descriptor_key=header)
    return api.route.RateLimit(
        actions=[api.route.RateLimitAction(metadata=model), api.route.RateLimitAction(request_headers=value)],
        hits_addend=api.route.RateLimitHitsAddend(format=f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{METADATA_TOKENS})%"),
        x_ratelimit_option=api.route.RateLimitXRateLimitOption.DRAFT_VERSION_03,
    )


def _descriptor(limit: ir.RateLimit) -> api.ratelimit.LocalRateLimitDescriptor:
    entry = api.ratelimit.RateLimitDescriptorEntry
    return api.ratelimit.LocalRateLimitDescriptor(
        entries=[entry(key=_MODEL, value=limit.model), entry(key=limit.header, value=limit.value)],
        token_bucket=_bucket(limit.tokens, limit.seconds),
    )


def _bucket(tokens: int, seconds: int) -> api.type_v3.TokenBucket:
    return api.type_v3.TokenBucket(max_tokens=tokens, tokens_per_fill=tokens, fill_interval=api.duration(seconds))
