"""ir.Listener and ir.Egress -> Envoy listeners: an HTTP connection manager each, with its routes over RDS."""

import ipaddress
from typing import Final

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import address, api
from control_plane.xds.http_filters.attempt import build_attempt_filter
from control_plane.xds.http_filters.buffer_and_header_mutation import build_attempt_filters, forget_length
from control_plane.xds.http_filters.early_header_mutation import build_early_mutation, build_early_mutations
from control_plane.xds.http_filters.header_to_metadata import build_header_to_metadata, chains_of_models
from control_plane.xds.http_filters.order import build_grpc_bridge, build_http_filters, build_router
from control_plane.xds.listener.access_log import build_access_log
from control_plane.xds.listener.answer_stats import build_answer_stats
from control_plane.xds.listener.local_reply import build_client_local_reply, build_internal_local_reply
from control_plane.xds.listener.tls import build_downstream_tls
from control_plane.xds.listener.tracing import build_request_id, build_tracing
from control_plane.xds.prices import priced

_SILENCE_SECONDS: Final = 300.0
_SLACK_SECONDS: Final = 30.0
_HEADERS_SECONDS: Final = 30.0
_MAX_HEADERS_KB: Final = 96
_HTTP2_STREAMS: Final = 1024


def build_listener(listener: ir.Listener, gateway: ir.Gateway) -> api.listener.Listener:
    """Build a listener that clients connect to."""
    name = names.listener(listener.name)
    prices = priced(listener, gateway)
    manager = _connection_manager(name, gateway, build_http_filters(listener, gateway))
    # Until ext_proc has decided no route's idle timeout applies, so this one must exceed the longest decision.
    patience = max(gateway.limits.upload_idle_seconds, listener.decision_timeout_seconds + _SLACK_SECONDS)
    manager.stream_idle_timeout = api.duration(patience)
    # For bodies that trickle in, which are never idle. Ends with the request's last byte, so answers may take longer.
    manager.request_timeout = api.duration(max(_SILENCE_SECONDS, patience))
    manager.common_http_protocol_options = api.core.HttpProtocolOptions(
        idle_timeout=api.duration(gateway.limits.connection_idle_seconds)
    )
    manager.access_log = [*build_access_log(name, gateway.access_log_path, prices), *build_answer_stats(listener.name, prices)]
    manager.early_header_mutation_extensions = [build_early_mutations(listener)]
    manager.local_reply_config = build_client_local_reply()
    built = _listener(name, address.tcp(listener.address, listener.port), manager, api.core.TrafficDirection.INBOUND)
    if listener.tls is not None:
        built.filter_chains[0].transport_socket = build_downstream_tls(listener.tls)
    built.filter_chains[0].filters.insert(0, _connection_limit(name, gateway.limits))
    return built


def build_egress_listener(gateway: ir.Gateway) -> api.listener.Listener:
    """Build the egress listener: without ext_proc; the caller sets the route header."""
    name = names.EGRESS_LISTENER
    forwarded = (
        [build_header_to_metadata()]
        if any(route.cluster in chains_of_models(gateway) for route in gateway.egress.routes)
        else []
    )
    bridge = [build_grpc_bridge()] if gateway.tracing and gateway.tracing.collector.protocol is ir.OtlpProtocol.GRPC else []
    manager = _connection_manager(name, gateway, [*forwarded, *bridge, build_router()])
    manager.stream_idle_timeout = api.duration(_SILENCE_SECONDS)
    manager.internal_address_config = _internal(gateway.internal_cidrs, unix_sockets=True)
    manager.local_reply_config = build_internal_local_reply()
    manager.delayed_close_timeout = _AT_ONCE
    return _listener(name, address.parse(gateway.egress.address), manager, api.core.TrafficDirection.OUTBOUND)


def build_attempts_listener(gateway: ir.Gateway) -> api.listener.Listener:
    """Build the attempts listener; it always exists, so that a reload can add chains.

    Its requests have passed another listener, which has sanitised their headers and bounds their time.
    """
    name = names.ATTEMPTS_LISTENER
    manager = api.hcm.HttpConnectionManager(
        stat_prefix=name,
        rds=api.hcm.Rds(config_source=api.ads(), route_config_name=name),
        http_filters=[build_attempt_filter(), *build_attempt_filters(gateway.max_request_bytes), build_router()],
        early_header_mutation_extensions=[build_early_mutation([forget_length()])],
        access_log=build_access_log(name, gateway.access_log_path),
        server_header_transformation=api.hcm.HttpConnectionManagerServerHeaderTransformation.PASS_THROUGH,
        local_reply_config=build_internal_local_reply(),
        delayed_close_timeout=_AT_ONCE,
        generate_request_id=False,
        skip_xff_append=True,
        stream_idle_timeout=api.duration(0),
        # The client's headers and those that the gateway adds.
        max_request_headers_kb=2 * _MAX_HEADERS_KB,
    )
    if gateway.tracing is not None:
        manager.tracing = build_tracing(gateway.tracing, name)
    listener = _listener(name, None, manager, api.core.TrafficDirection.OUTBOUND)
    listener.internal_listener = api.listener.ListenerInternalListenerConfig()
    return listener


def _listener(
    name: str, where: api.core.Address | None, manager: api.hcm.HttpConnectionManager, direction: api.core.TrafficDirection
) -> api.listener.Listener:
    http = api.listener.Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=api.pack(manager),
    )
    return api.listener.Listener(
        name=name,
        stat_prefix=name,
        address=where,
        traffic_direction=direction,
        per_connection_buffer_limit_bytes=_CONNECTION_BUFFER_BYTES,
        filter_chains=[api.listener.FilterChain(name="http", filters=[http])],
    )


def _connection_manager(
    name: str, gateway: ir.Gateway, http_filters: list[api.hcm.HttpFilter]
) -> api.hcm.HttpConnectionManager:
    manager = api.hcm.HttpConnectionManager(
        stat_prefix=name,
        rds=api.hcm.Rds(config_source=api.ads(), route_config_name=name),
        http_filters=http_filters,
        access_log=build_access_log(name, gateway.access_log_path),
        # Without these two Envoy silently ignores x-envoy-max-retries and similar headers of all clients.
        use_remote_address=True,
        internal_address_config=_internal(gateway.internal_cidrs),
        preserve_external_request_id=True,
        always_set_request_id_in_response=True,
        server_header_transformation=api.hcm.HttpConnectionManagerServerHeaderTransformation.PASS_THROUGH,
        # `/v1/../x` becomes `/x`; `//` and `%2F` are kept, since they occur in names of models.
        normalize_path=True,
        path_with_escaped_slashes_action=api.hcm.HttpConnectionManagerPathWithEscapedSlashesAction.KEEP_UNCHANGED,
        request_headers_timeout=api.duration(_HEADERS_SECONDS),
        max_request_headers_kb=_MAX_HEADERS_KB,
        http_protocol_options=_http1(),
        http2_protocol_options=_http2(),
    )
    if gateway.tracing is not None:
        manager.tracing = build_tracing(gateway.tracing, name)
        manager.request_id_extension = build_request_id()
    return manager


def _http1() -> api.core.Http1ProtocolOptions:
    """Serve HTTP/1.0 as well: nginx uses it for a plain `proxy_pass`."""
    return api.core.Http1ProtocolOptions(accept_http_10=True, default_host_for_http_10="localhost")


def _http2() -> api.core.Http2ProtocolOptions:
    return api.core.Http2ProtocolOptions(
        max_concurrent_streams=_HTTP2_STREAMS,
        initial_stream_window_size=1 << 20,
        initial_connection_window_size=1 << 24,
        # A malformed stream is reset; the others of its connection continue.
        override_stream_error_on_invalid_http_message=True,
    )


def _internal(cidrs: tuple[str, ...], *, unix_sockets: bool = False) -> api.hcm.HttpConnectionManagerInternalAddressConfig:
    return api.hcm.HttpConnectionManagerInternalAddressConfig(
        unix_sockets=unix_sockets, cidr_ranges=[_range(cidr) for cidr in cidrs]
    )


def _range(cidr: str) -> api.core.CidrRange:
    network = ipaddress.ip_network(cidr, strict=False)
    return api.core.CidrRange(address_prefix=str(network.network_address), prefix_len=network.prefixlen)


def _connection_limit(name: str, limits: ir.Limits) -> api.listener.Filter:
    """Limit this listener to its share of connections; further ones are closed at once."""
    most = max(1, limits.max_connections * 3 // 4)
    config = api.connection_limit.ConnectionLimit(stat_prefix=name, max_connections=most)
    return api.listener.Filter(name="envoy.filters.network.connection_limit", typed_config=api.pack(config))


_AT_ONCE: Final = api.duration(0)
"""Delayed close timeout; Envoy's default is a second. Here the peer is the gateway itself, which resumes a broken
stream as soon as the connection closes."""

_CONNECTION_BUFFER_BYTES: Final = 1 << 20
"""Before back-pressure. The size of a request body is bounded apart, by its virtual host."""
