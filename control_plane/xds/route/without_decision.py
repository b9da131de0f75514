"""Routes of requests on which nothing has been decided, on a listener whose decisions come with the body.

That is what every request is until ext_proc answers, what a request without a body stays, and what anything but a POST is: no
API that clients post to is meant, so its headers alone are shown to ext_proc, which lists models or says what is wrong.
"""

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.attempt import let_attempts_detach
from control_plane.xds.http_filters.ext_proc import FILTER_NAME, processing_mode
from control_plane.xds.route.route import by_header, on_match, reply_route
from protos.contract.headers import MAY_DETACH_HEADER


def build_undecided(listener: ir.Listener) -> api.xds_matcher.MatcherOnMatch | None:
    """Build what a listener's route table does without a decision; None where every request is shown to ext_proc anyway."""
    if listener.shows_headers:
        return None
    no_body = on_match(reply_route("(no body)", 400))
    not_post = reply_route("(not a post)", 404)
    not_post.typed_per_filter_config = {FILTER_NAME: api.pack(_shows_headers())}
    return api.xds_matcher.MatcherOnMatch(matcher=by_header(":method", {"POST": no_body}, on_match(not_post)))


def build_unresolved() -> api.xds_matcher.MatcherOnMatch:
    """Build what the attempts listener's table does until the attempt stage has named a target: it says how the stage works."""
    may_detach = reply_route("(may detach)", 404)
    may_detach.typed_per_filter_config = let_attempts_detach()
    otherwise = on_match(reply_route("(none)", 404))
    return api.xds_matcher.MatcherOnMatch(matcher=by_header(MAY_DETACH_HEADER, {"true": on_match(may_detach)}, otherwise))


def _shows_headers() -> api.ext_proc.ExtProcPerRoute:
    overrides = api.ext_proc.ExtProcOverrides(processing_mode=processing_mode(sends_headers=True))
    return api.ext_proc.ExtProcPerRoute(overrides=overrides)
