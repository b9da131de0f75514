"""Envoy's statistics of answers by agent and model: requests, durations and tokens, with or without ext_proc.

Labels are configured names and constants, never a model name that a client writes under a wildcard.
"""

from collections.abc import Collection, Mapping
from typing import Final

from control_plane.xds import api
from control_plane.xds.http_filters.token_usage import IS_KNOWN, TOKENS
from control_plane.xds.prices import IS_PRICED, build_cost_nanodollars
from protos import filter_config_pb2 as pb
from protos.contract.headers import CALLER_HEADER
from protos.contract.metadata import METADATA_AGENT, METADATA_API, METADATA_ENTRY, METADATA_NAMESPACE

_PREFIX: Final = "plano"


def build_answer_stats(listener: str, prices: Collection[pb.ModelPrice]) -> list[api.accesslog.AccessLog]:
    """Build the access loggers that count the answers of a listener, and their cost by these prices."""
    labels = {
        "listener": listener,
        "agent": _decided(METADATA_AGENT),
        "model": _decided(METADATA_ENTRY),
        "api": _decided(METADATA_API),
        "caller": f"%REQ({CALLER_HEADER})%",
    }
    answers = api.stats_log.Config(
        stats_scope=api.type_v3.Scope(prefix=_PREFIX),
        counters=[_counter("answers", {**labels, "status": "%RESPONSE_CODE%"}, value_fixed=1)],
        histograms=[
            _histogram("answer_duration", labels, "%DURATION%"),
            _histogram("answer_first_byte", labels, "%RESPONSE_DURATION%"),
        ],
    )
    tokens = api.stats_log.Config(
        stats_scope=api.type_v3.Scope(prefix=_PREFIX),
        counters=[
            _counter("answers_with_usage", labels, value_fixed=1),
            *(_counter("answer_tokens", {**labels, "kind": kind}, value) for kind, value in TOKENS.items()),
        ],
    )
    not_health_check = api.accesslog.AccessLogFilter(not_health_check_filter=api.accesslog.NotHealthCheckFilter())
    return [
        _log("plano.answers", answers, not_health_check),
        _log("plano.tokens", tokens, _when(IS_KNOWN)),
        *([_log("plano.cost", _cost(labels, prices), _when(IS_PRICED))] if prices else ()),
    ]


def _cost(labels: Mapping[str, str], prices: Collection[pb.ModelPrice]) -> api.stats_log.Config:
    return api.stats_log.Config(
        stats_scope=api.type_v3.Scope(prefix=_PREFIX),
        counters=[
            _counter("answers_with_cost", labels, value_fixed=1),
            _counter("answer_cost_nanodollars", labels, build_cost_nanodollars(prices)),
        ],
    )


def _log(name: str, config: api.stats_log.Config, only: api.accesslog.AccessLogFilter) -> api.accesslog.AccessLog:
    return api.accesslog.AccessLog(name=name, filter=only, typed_config=api.pack(config))


def _when(expression: str) -> api.accesslog.AccessLogFilter:
    config = api.cel_filter.ExpressionFilter(expression=expression)
    extension = api.accesslog.ExtensionFilter(name="envoy.access_loggers.extension_filters.cel", typed_config=api.pack(config))
    return api.accesslog.AccessLogFilter(extension_filter=extension)


def _counter(
    name: str, labels: Mapping[str, str], value: str = "", *, value_fixed: int | None = None
) -> api.stats_log.ConfigCounter:
    return api.stats_log.ConfigCounter(stat=_stat(name, labels), value_format=value, value_fixed=value_fixed)


def _histogram(name: str, labels: Mapping[str, str], value: str) -> api.stats_log.ConfigHistogram:
    unit = api.stats_log.ConfigHistogramUnit.Milliseconds
    return api.stats_log.ConfigHistogram(stat=_stat(name, labels), unit=unit, value_format=value)


def _stat(name: str, labels: Mapping[str, str]) -> api.stats_log.ConfigStat:
    tags = [api.stats_log.ConfigTag(name=label, value_format=value) for label, value in sorted(labels.items())]
    return api.stats_log.ConfigStat(name=name, tags=tags)


def _decided(key: str) -> str:
    return f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{key})%"
