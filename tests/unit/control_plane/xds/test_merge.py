from control_plane import ir
from control_plane.xds import api
from control_plane.xds.encode import encode
from control_plane.xds.merge import merge_routes
from control_plane.xds.route.route import build_route_configuration


def route(name: str, *, cluster: str = "") -> ir.Route:
    return ir.Route(
        name=name,
        cluster=cluster or name,
        response_timeout_seconds=1,
        idle_timeout_seconds=1,
        retry=ir.Retry(on=("reset",)),
        keeps_credentials=False,
    )


def table(*routes: ir.Route) -> bytes:
    return encode(build_route_configuration("listener/travel", routes, max_request_bytes=1024))


def test_the_union_of_two_tables_is_the_table_of_the_union() -> None:
    merged = merge_routes(table(route("agent/a"), route("agent/b")), table(route("agent/c"), route("agent/b")))
    assert merged == table(route("agent/a"), route("agent/b"), route("agent/c"))


def test_of_two_routes_with_one_name_the_new_one_counts() -> None:
    assert merge_routes(table(route("r", cluster="old")), table(route("r", cluster="new"))) == table(route("r", cluster="new"))


def test_the_last_route_of_a_table_stays_until_nobody_takes_it() -> None:
    assert merge_routes(table(route("r")), table()) == table(route("r"))


def test_a_table_without_routes_loses_nothing_of_the_new_one() -> None:
    assert merge_routes(table(), table(route("r"))) == table(route("r"))


def test_merging_again_changes_nothing() -> None:
    old, new = table(route("a")), table(route("b"))
    assert merge_routes(merge_routes(old, new), new) == merge_routes(old, new)


def test_what_is_not_a_route_comes_from_the_new_table() -> None:
    new = build_route_configuration("listener/travel", [route("b")], max_request_bytes=7)
    merged = api.route.RouteConfiguration().parse(merge_routes(table(route("a")), encode(new)))
    assert merged.virtual_hosts[0].request_body_buffer_limit == 7
