"""ir.Route -> RouteConfiguration: one virtual host whose matcher looks `x-plano-route` up in a map."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.answer import turn_answer_on
from control_plane.xds.http_filters.api_key_auth import let_in
from control_plane.xds.http_filters.buffer_and_header_mutation import DECIDED_PATH
from control_plane.xds.http_filters.cors import build_cors_policy
from control_plane.xds.http_filters.error import leave_errors_alone
from control_plane.xds.http_filters.ext_proc import ANSWERS_CLUSTER
from control_plane.xds.http_filters.native_path import skip_decision
from control_plane.xds.prices import build_price_table
from control_plane.xds.route.matching import by_header, on_match, refusal, reply_route
from control_plane.xds.route.retry import build_retry_policy
from protos import filter_config_pb2 as pb
from protos.contract.headers import (
    AGENT_HEADER,
    ATTEMPTS_HEADER,
    BOUNDS_HEADER,
    CALLER_HEADER,
    COST_HEADER,
    CREDENTIAL_HEADERS,
    DECISION_HEADER,
    ENTRY_HEADER,
    HISTORY_HEADER,
    INTERNAL_HEADERS,
    LOCAL_REPLY_HEADER,
    MAY_DETACH_HEADER,
    METADATA_HEADER,
    MODEL_HEADER,
    OWN_FAULT_HEADER,
    RETRY_AFTER_HEADER,
    RETRY_HEADER,
    ROUTE_HEADER,
    UNAVAILABLE_HEADER,
    VETO_HEADER,
)
from protos.contract.metadata import METADATA_AGENT, METADATA_DECISION, METADATA_MODEL, METADATA_NAMESPACE
from protos.contract.stages import STAGE_METADATA, STAGE_UPSTREAM

_ADD_IF_ABSENT = api.core.HeaderValueOptionHeaderAppendAction.ADD_IF_ABSENT
_OVERWRITE = api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD

_CLIENT_ADDRESS = ("x-forwarded-for", "x-envoy-external-address", "x-envoy-internal")
"""The client's identity, which third parties must not receive, like its credentials."""

_ANSWERS = (
    (AGENT_HEADER, METADATA_AGENT),
    (MODEL_HEADER, METADATA_MODEL),
    (DECISION_HEADER, METADATA_DECISION),
)
"""Response headers -> the dynamic metadata of their values; missing metadata adds no header."""

_INSIDE = (
    ENTRY_HEADER,
    HISTORY_HEADER,
    LOCAL_REPLY_HEADER,
    UNAVAILABLE_HEADER,
    RETRY_HEADER,
    OWN_FAULT_HEADER,
    RETRY_AFTER_HEADER,
    VETO_HEADER,
)
"""Response headers between the parts of the gateway."""


def build_route_configuration(  # noqa: PLR0913 - what differs between the tables of listeners
    name: str,
    routes: Iterable[ir.Route],
    *,
    max_request_bytes: int,
    chains: Mapping[str, ir.Chain] | None = None,
    undecided: api.xds_matcher.MatcherOnMatch | None = None,
    inside: Iterable[str] = (),
    not_theirs: Iterable[str] = (),
    callers: Iterable[ir.Caller] | None = None,
    hosts: tuple[str, ...] = (),
    cors: ir.Cors | None = None,
    prices: Collection[pb.ModelPrice] = (),
) -> api.route.RouteConfiguration:
    """Build the route table of a listener: requests are routed by the route header; `undecided` handles the others.

    `inside` are request headers that only the gateway may see, `not_theirs` response headers that no upstream may send,
    `callers` those with accepted keys, `hosts` the served ones (empty: all), `cors` the allowed origins, `prices` those of
    answers.
    """
    ordered = sorted(routes, key=lambda route: route.name)
    actions = {route.name: on_match(build_route(route, (chains or {}).get(route.cluster))) for route in ordered}
    host = api.route.VirtualHost(
        name=name,
        domains=list(hosts) or ["*"],
        matcher=by_header(ROUTE_HEADER, actions, undecided or on_match(reply_route("(none)", 404))),
        request_headers_to_remove=[*INTERNAL_HEADERS, *inside],
        response_headers_to_add=[_answer(header, key) for header, key in _ANSWERS],
        # Remove the gateway's own headers from upstream responses. Envoy removes before it adds.
        response_headers_to_remove=[*(header for header, _ in _ANSWERS), ATTEMPTS_HEADER, *_INSIDE, *not_theirs],
        # Bounds the bodies for ext_proc and retries, independent of connection buffers.
        request_body_buffer_limit=max_request_bytes,
        metadata=build_price_table(prices),
        typed_per_filter_config=(let_in(callers) if callers is not None else {}) | (build_cors_policy(cors) if cors else {}),
    )
    # So that a route's header overrides the table's.
    return api.route.RouteConfiguration(
        name=name,
        virtual_hosts=[host, _other_hosts()] if hosts else [host],
        ignore_port_in_host_matching=True,
        most_specific_header_mutations_wins=True,
    )


def _other_hosts() -> api.route.VirtualHost:
    refused = on_match(refusal("(other host)", 421))
    return api.route.VirtualHost(name="(other hosts)", domains=["*"], matcher=api.xds_matcher.Matcher(on_no_match=refused))


def build_route(route: ir.Route, chain: ir.Chain | None = None) -> api.route.Route:
    """Build one route without its matcher; `chain` is its destination, if that is a chain."""
    is_of_models = chain is not None and chain.is_of_models
    if route.is_resumable:
        return _answered_route(route)
    return api.route.Route(
        name=route.name,
        match=api.route.RouteMatch(prefix="/"),
        route=_route_action(route, chain),
        request_headers_to_add=[
            *(_for_attempts(route) if is_of_models else ()),
            *(_header(name, value, _ADD_IF_ABSENT) for name, value in route.default_headers),
        ],
        request_headers_to_remove=_not_sent(route),
        # Only the attempt stage knows what an answer has cost.
        response_headers_to_remove=[] if is_of_models else [COST_HEADER],
        response_headers_to_add=[_attempts(), *(() if chain is None or is_of_models else (_agent_that_answered(),))],
        typed_per_filter_config=skip_decision() if route.is_native else {},
    )


def _answered_route(route: ir.Route) -> api.route.Route:
    """Build the route of requests that ext_proc answers, by calls of its own to what the route names."""
    return api.route.Route(
        name=route.name,
        match=api.route.RouteMatch(prefix="/"),
        route=api.route.RouteAction(
            cluster=ANSWERS_CLUSTER,
            timeout=api.duration(0),
            max_stream_duration=_whole_exchange(route),
            idle_timeout=api.duration(_client_patience(route)),
        ),
        request_headers_to_add=[
            _header(STAGE_METADATA, STAGE_UPSTREAM, _OVERWRITE),
            _header(METADATA_HEADER, f"%DYNAMIC_METADATA({METADATA_NAMESPACE})%", _OVERWRITE),
        ],
        request_headers_to_remove=_not_sent(route),
        typed_per_filter_config=turn_answer_on() | leave_errors_alone(),
    )


def _whole_exchange(route: ir.Route) -> api.route.RouteActionMaxStreamDuration | None:
    """Bound all of what ext_proc answers, from the request's beginning: before its own calls are over by the same bound."""
    if not route.total_timeout_seconds:
        return None
    return api.route.RouteActionMaxStreamDuration(max_stream_duration=api.duration(route.total_timeout_seconds))


def _not_sent(route: ir.Route) -> list[str]:
    return [
        *(() if route.keeps_credentials else (*CREDENTIAL_HEADERS, *_CLIENT_ADDRESS)),
        *([CALLER_HEADER] if route.takes_decided_path else ()),
    ]


def _route_action(route: ir.Route, chain: ir.Chain | None) -> api.route.RouteAction:
    return api.route.RouteAction(
        cluster=route.cluster,
        # Usually no timeout of the whole answer: a stream may last. The retry policy bounds the wait for headers, per attempt.
        timeout=api.duration(route.total_timeout_seconds),
        idle_timeout=api.duration(_client_patience(route)),
        prefix_rewrite=f"{route.path_prefix}/" if route.path_prefix else "",
        path_rewrite=DECIDED_PATH if route.takes_decided_path else "",
        auto_host_rewrite=True,
        hash_policy=build_hash_policy(route.hash_header),
        retry_policy=build_retry_policy(route, chain),
    )


def _client_patience(route: ir.Route) -> float:
    """Set the idle timeout of the client's stream; the retry policy bounds a single attempt, which another may follow."""
    retry = route.retry
    if not route.idle_timeout_seconds:
        return 0.0
    return max(route.idle_timeout_seconds, (1 + retry.attempts) * (route.response_timeout_seconds + retry.max_backoff_seconds))


def _for_attempts(route: ir.Route) -> Iterator[api.core.HeaderValueOption]:
    """Send retries, timeouts and whether the stage may detach to the attempt stage."""
    seconds, wait = min(route.response_timeout_seconds, route.idle_timeout_seconds), route.retry.longest_wait_seconds
    bounds = f"{route.retry.attempts};{seconds:g};{wait:g};{route.idle_timeout_seconds:g}"
    yield _header(BOUNDS_HEADER, f"%REQ(x-envoy-max-retries)%;{bounds}", _OVERWRITE)
    if route.can_detach:
        yield _header(MAY_DETACH_HEADER, "true", _OVERWRITE)


def _attempts() -> api.core.HeaderValueOption:
    return _header(ATTEMPTS_HEADER, "%UPSTREAM_REQUEST_ATTEMPT_COUNT%", _OVERWRITE)


def _agent_that_answered() -> api.core.HeaderValueOption:
    """Name the agent of the last attempt; the attempt stage names its model."""
    value = f"%UPSTREAM_METADATA({METADATA_NAMESPACE}:{METADATA_AGENT})%"
    return _header(AGENT_HEADER, value, _OVERWRITE)


def _answer(header: str, key: str) -> api.core.HeaderValueOption:
    return _header(header, f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{key})%", _OVERWRITE)


def _header(name: str, value: str, action: api.core.HeaderValueOptionHeaderAppendAction) -> api.core.HeaderValueOption:
    return api.core.HeaderValueOption(header=api.core.HeaderValue(key=name, value=value), append_action=action)


def build_hash_policy(header: str) -> list[api.route.RouteActionHashPolicy]:
    """Build the hash policy for a ring_hash cluster; requests without the header go to any endpoint."""
    if not header:
        return []
    return [api.route.RouteActionHashPolicy(header=api.route.RouteActionHashPolicyHeader(header_name=header))]
