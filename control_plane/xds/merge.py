"""Two route tables of one listener as one, for the moment in which requests of both configurations are under way."""

from control_plane.xds import api
from control_plane.xds.encode import encode


def merge_routes(old: bytes, new: bytes) -> bytes:
    """Return the new route table with the routes that only the old one has; serialised RouteConfigurations."""
    missing = _routes(api.route.RouteConfiguration().parse(old))
    merged = api.route.RouteConfiguration().parse(new)
    for host in merged.virtual_hosts:
        tree = host.matcher.matcher_tree if host.matcher else None
        if tree is not None and tree.exact_match_map is not None:
            routes = tree.exact_match_map.map
            tree.exact_match_map.map = dict(sorted({**missing, **routes}.items()))
    return encode(merged)


def _routes(table: api.route.RouteConfiguration) -> dict[str, api.xds_matcher.MatcherOnMatch]:
    trees = [host.matcher.matcher_tree for host in table.virtual_hosts if host.matcher and host.matcher.matcher_tree]
    return {name: action for tree in trees if tree.exact_match_map for name, action in tree.exact_match_map.map.items()}
