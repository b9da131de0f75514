"""The http_filters of client listeners, in request order."""

from typing import Final

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import api
from control_plane.xds.http_filters.answer import build_answer
from control_plane.xds.http_filters.api_key_auth import build_api_key_auth
from control_plane.xds.http_filters.buffer_and_header_mutation import build_buffer, build_decided
from control_plane.xds.http_filters.client_bounds import build_client_bounds
from control_plane.xds.http_filters.cors import build_cors
from control_plane.xds.http_filters.decompressor import build_decompressors
from control_plane.xds.http_filters.error import build_errors
from control_plane.xds.http_filters.ext_proc import EXT_PROC_CLUSTER, build_ext_proc, build_respond
from control_plane.xds.http_filters.jwt_authn import build_jwt_authn
from control_plane.xds.http_filters.local_rate_limit import build_rate_limit
from control_plane.xds.http_filters.native_path import build_native_path
from control_plane.xds.http_filters.token_usage import build_token_usage

HEALTH_PATH: Final = "/healthz"


def build_http_filters(listener: ir.Listener, gateway: ir.Gateway) -> list[api.hcm.HttpFilter]:
    """Build all http_filters of an agent or model listener."""
    answered = [build_answer()] if any(route.is_resumable for route in listener.routes) else []
    limited = [build_rate_limit(listener.rate_limits, names.listener(listener.name))] if listener.rate_limits else []
    errors = [build_errors()] if listener.kind is ir.ListenerKind.MODEL else []
    tokens = [build_jwt_authn(listener.jwt)] if listener.jwt is not None else []
    auth = [*tokens, build_api_key_auth(listener.credential)] if listener.callers is not None else []
    # Before authentication: browsers send no key with a preflight.
    cors = [build_cors()] if listener.cors is not None else []
    asked = [build_client_bounds(gateway.limits), *build_decompressors()]
    # What reads usage keeps a request's body, of any size, until it is whole (Envoy 1.40): only the buffer filter bounds that.
    # It also looks up the route, so it comes after what decides that.
    decided = [build_buffer(gateway.max_request_bytes), build_decided(listener), *build_token_usage()]
    # Answers pass the filters from the last to the first: the last that touches a body, but for what counts what clients get.
    respond = [build_respond(listener)] if listener.filters_answers else []
    native = [build_native_path()] if listener.native_path is not None else []
    before = [build_health_check(), *cors, *auth, *asked, *respond, *native]
    return [*before, build_ext_proc(listener), *decided, *limited, *answered, *errors, build_router()]


def build_router() -> api.hcm.HttpFilter:
    """Build the filter that sends a request upstream, the last of every listener."""
    # Clients do not need x-envoy-upstream-service-time and similar headers, nor upstreams our timeouts.
    config = api.router.Router(suppress_envoy_headers=True)
    return api.hcm.HttpFilter(name="envoy.filters.http.router", typed_config=api.pack(config))


def build_grpc_bridge() -> api.hcm.HttpFilter:
    """Build the filter that turns ext_proc's HTTP/1.1 calls into gRPC for a collector."""
    config = api.grpc_http1_bridge.Config()
    return api.hcm.HttpFilter(name="envoy.filters.http.grpc_http1_bridge", typed_config=api.pack(config))


def build_health_check() -> api.hcm.HttpFilter:
    """Build the filter that answers at HEALTH_PATH."""
    # 200 while at least one ext_proc worker is healthy: without one no request can be answered.
    config = api.health_check.HealthCheck(
        pass_through_mode=False,
        cluster_min_healthy_percentages={EXT_PROC_CLUSTER: api.type_v3.Percent(value=1)},
        headers=[api.route.HeaderMatcher(name=":path", string_match=api.matcher.StringMatcher(exact=HEALTH_PATH))],
    )
    return api.hcm.HttpFilter(name="envoy.filters.http.health_check", typed_config=api.pack(config))
