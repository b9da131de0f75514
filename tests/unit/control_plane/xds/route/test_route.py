import pytest

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.route.route import build_hash_policy, build_route, build_route_configuration
from protos.contract.headers import CREDENTIAL_HEADERS, INTERNAL_HEADERS, LOCAL_REPLY_HEADER
from tests.kit import gateways


def table(*routes: ir.Route) -> api.route.VirtualHost:
    (host,) = build_route_configuration("listener/a", routes, max_request_bytes=7).virtual_hosts
    return host


def action(route: ir.Route) -> api.route.RouteAction:
    built = build_route(route).route
    assert built is not None
    return built


def test_the_route_header_is_looked_up_in_a_map() -> None:
    host = table(gateways.route("agent/b"), gateways.route("agent/a"))
    assert host.matcher is not None
    assert host.matcher.matcher_tree is not None
    assert host.matcher.matcher_tree.exact_match_map is not None
    assert sorted(host.matcher.matcher_tree.exact_match_map.map) == ["agent/a", "agent/b"]
    assert not host.routes


def test_a_listener_without_routes_has_only_the_404() -> None:
    matcher = table().matcher
    assert matcher is not None
    assert matcher.matcher_tree is None
    assert matcher.on_no_match is not None


def test_the_virtual_host_bounds_bodies_and_hides_the_insides() -> None:
    host = table(gateways.route("agent/a"))
    assert host.request_body_buffer_limit == 7
    assert host.request_headers_to_remove == list(INTERNAL_HEADERS)
    assert LOCAL_REPLY_HEADER in host.response_headers_to_remove


def test_nothing_bounds_the_whole_answer() -> None:
    built = action(gateways.route("agent/a", response_timeout_seconds=3.5, idle_timeout_seconds=9.0))
    assert built.timeout == api.duration(0)
    assert built.idle_timeout == api.duration(9)
    assert built.retry_policy is not None
    assert built.retry_policy.per_try_timeout == api.duration(3.5)


def test_silence_of_one_attempt_leaves_time_for_the_others() -> None:
    retry = ir.Retry(on=("reset",), attempts=2, max_backoff_seconds=1)
    built = action(gateways.route("agent/a", response_timeout_seconds=3, idle_timeout_seconds=3, retry=retry))
    assert built.retry_policy is not None
    assert built.retry_policy.per_try_idle_timeout == api.duration(3)
    assert built.idle_timeout == api.duration(12)


def test_retries_are_those_of_the_route() -> None:
    policy = action(gateways.route("a", retry=ir.Retry(on=("reset", "5xx"), statuses=(503, 429), attempts=2))).retry_policy
    assert policy is not None
    assert (policy.retry_on, policy.num_retries, policy.retriable_status_codes) == ("reset,5xx", 2, [429, 503])


def test_credentials_stay_unless_the_route_drops_them() -> None:
    assert build_route(gateways.route("a", keeps_credentials=True)).request_headers_to_remove == []
    dropped = build_route(gateways.route("a", keeps_credentials=False)).request_headers_to_remove
    assert set(CREDENTIAL_HEADERS) | {"x-forwarded-for"} <= set(dropped)


def test_a_prefix_replaces_the_root() -> None:
    assert action(gateways.route("a", path_prefix="/base")).prefix_rewrite == "/base/"
    assert action(gateways.route("a")).prefix_rewrite == ""


@pytest.mark.parametrize(("is_resumable", "total", "expected"), [(True, 9.0, 9.0), (True, 0.0, None), (False, 9.0, None)])
def test_a_bound_of_the_whole_exchange_holds_where_ext_proc_answers(
    is_resumable: bool, total: float, expected: float | None
) -> None:
    action = build_route(gateways.route("r", is_resumable=is_resumable, total_timeout_seconds=total)).route
    assert action is not None
    bound = action.max_stream_duration.max_stream_duration if action.max_stream_duration else None
    assert (bound.total_seconds() if bound else None) == expected


def test_a_hash_needs_a_header() -> None:
    assert build_hash_policy("") == []
    [policy] = build_hash_policy("x-session")
    assert policy.header is not None
    assert policy.header.header_name == "x-session"
