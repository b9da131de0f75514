"""Envoy's bootstrap: its node, the control plane, and ext_proc.

`ext_proc` is here and not in CDS because changing its clusters would break active streams.
"""

from collections.abc import Sequence
from typing import Final

from control_plane.xds import address, api
from control_plane.xds.http_filters.ext_proc import ANSWERS_CLUSTER, EXT_PROC_CLUSTER
from control_plane.xds.listener.stats import build_admin_cluster, build_stats_listener
from control_plane.xds.overload import build_memory_release, build_overload_manager
from control_plane.xds.render import to_yaml
from control_plane.xds.stat_tags import build_stats_config

XDS_CLUSTER: Final = "xds"

_UNLIMITED: Final = 1_000_000
_ANSWER_WINDOW_BYTES: Final = 1 << 16
"""Of an answer that ext_proc makes: may wait in Envoy, beyond what a connection buffers, for a client that reads slowly."""
_ANSWERS_WINDOW_BYTES: Final = 1 << 28
"""Of all of them on a connection: more than those that are allowed can fill, so that none waits for another one's client."""


def build_bootstrap(
    *,
    node_id: str,
    xds: str,
    ext_proc: Sequence[str],
    admin: str,
    stats: str | None = None,
    max_connections: int = 50_000,
    max_memory_bytes: int = 1 << 30,
) -> api.bootstrap.Bootstrap:
    """Build Envoy's bootstrap; addresses are `unix:///path` or `host:port`, one of ext_proc for each worker.

    `stats` adds a listener that serves only the statistics of the admin interface, for Prometheus.
    """
    static = api.bootstrap.BootstrapStaticResources(
        clusters=[_xds_cluster(xds), _ext_proc_cluster(ext_proc), _answers_cluster(ext_proc)]
    )
    if stats is not None:
        static.listeners = [build_stats_listener(stats)]
        static.clusters.append(build_admin_cluster(admin))
    return api.bootstrap.Bootstrap(
        node=api.core.Node(id=node_id, cluster="plano"),
        admin=api.bootstrap.Admin(address=address.parse(admin)),
        static_resources=static,
        dynamic_resources=_dynamic_resources(),
        # For the attempts listener.
        bootstrap_extensions=[api.extension("envoy.bootstrap.internal_listener", api.internal_listener.InternalListener())],
        overload_manager=build_overload_manager(max_connections=max_connections, max_memory_bytes=max_memory_bytes),
        memory_allocator_manager=build_memory_release(),
        stats_config=build_stats_config(),
    )


def render_compose_bootstrap() -> str:
    """Render `envoy/bootstrap.yaml`: the bootstrap of docker-compose.yaml, whose sockets and addresses it names."""
    bootstrap = build_bootstrap(
        node_id="plano",
        xds="unix:///run/plano/xds/xds.sock",
        ext_proc=[f"unix:///run/plano/ext_proc/ext_proc-{worker}.sock" for worker in range(2)],
        admin="unix:///tmp/admin.sock",
        # Its address on the network of Prometheus: see docker-compose.yaml.
        stats="10.83.2.2:9902",
    )
    return f"# Made by `make docs` from control_plane/xds/bootstrap.py: change it there.\n{render_bootstrap(bootstrap)}"


def render_bootstrap(bootstrap: api.bootstrap.Bootstrap) -> str:
    """Render a bootstrap as the YAML that `envoy -c` reads."""
    return to_yaml(bootstrap)


def _dynamic_resources() -> api.bootstrap.BootstrapDynamicResources:
    service = api.core.GrpcService(envoy_grpc=api.core.GrpcServiceEnvoyGrpc(cluster_name=XDS_CLUSTER))
    stream = api.core.ApiConfigSource(
        api_type=api.core.ApiConfigSourceApiType.GRPC,
        transport_api_version=api.core.ApiVersion.V3,
        grpc_services=[service],
        set_node_on_first_message_only=True,
    )
    return api.bootstrap.BootstrapDynamicResources(ads_config=stream, cds_config=api.ads(), lds_config=api.ads())


def _xds_cluster(where: str) -> api.cluster.Cluster:
    cluster = _grpc_cluster(XDS_CLUSTER, [where], _http2())
    # The control plane may start after Envoy, or restart: detect dead connections.
    cluster.upstream_connection_options = api.cluster.UpstreamConnectionOptions(
        tcp_keepalive=api.core.TcpKeepalive(keepalive_probes=3, keepalive_time=30, keepalive_interval=5)
    )
    return cluster


def _ext_proc_cluster(workers: Sequence[str]) -> api.cluster.Cluster:
    options = _http2()
    options.retry_policy = _next_worker("connect-failure,refused-stream,reset")
    return _workers_cluster(EXT_PROC_CLUSTER, workers, options)


def _answers_cluster(workers: Sequence[str]) -> api.cluster.Cluster:
    options = _http2()
    # A worker that breaks off may have called models already, whose answers cost money.
    options.retry_policy = _next_worker("connect-failure,refused-stream,reset-before-request")
    assert options.explicit_http_config is not None
    http2 = options.explicit_http_config.http2_protocol_options
    assert http2 is not None
    http2.initial_stream_window_size = _ANSWER_WINDOW_BYTES
    http2.initial_connection_window_size = _ANSWERS_WINDOW_BYTES
    return _workers_cluster(ANSWERS_CLUSTER, workers, options)


def _workers_cluster(name: str, workers: Sequence[str], options: api.upstream_http.HttpProtocolOptions) -> api.cluster.Cluster:
    cluster = _grpc_cluster(name, workers, options)
    # Not LEAST_REQUEST, which would prefer a worker that has just died. A retry goes to the next one, and the
    # first connection failure ejects the dead one, which matters for bodies that are too large to be retried.
    cluster.lb_policy = api.cluster.ClusterLbPolicy.ROUND_ROBIN
    cluster.common_lb_config = api.cluster.ClusterCommonLbConfig(
        # If every worker is unhealthy, all are tried: a restarted one is found at once.
        healthy_panic_threshold=api.type_v3.Percent(value=1),
        # By default Envoy merges changes of health for a second: a recovered worker would not be
        # used when the other one dies meanwhile.
        update_merge_window=api.duration(0),
    )
    cluster.health_checks = [_health_check()]
    cluster.outlier_detection = _unreachable()
    # One request is one ext_proc stream: Envoy's default of 1,024 would answer the next with an error.
    cluster.circuit_breakers = api.cluster.CircuitBreakers(
        thresholds=[
            api.cluster.CircuitBreakersThresholds(
                max_connections=_UNLIMITED,
                max_pending_requests=_UNLIMITED,
                max_requests=_UNLIMITED,
                max_retries=_UNLIMITED,
            )
        ]
    )
    return cluster


def _health_check() -> api.core.HealthCheck:
    return api.core.HealthCheck(
        timeout=api.duration(1),
        interval=api.duration(0.25),
        unhealthy_interval=api.duration(0.1),
        # Until the first request Envoy uses these two intervals: short until it is healthy, long afterwards.
        no_traffic_interval=api.duration(0.1),
        no_traffic_healthy_interval=api.duration(1),
        # Two in a row: one pause does not eject a worker.
        unhealthy_threshold=2,
        healthy_threshold=1,
        grpc_health_check=api.core.HealthCheckGrpcHealthCheck(),
    )


def _unreachable() -> api.cluster.OutlierDetection:
    """Eject an unreachable worker until its health check succeeds, or for about as long as that takes.

    Answers of a worker never count. If all are ejected, all are tried.
    """
    return api.cluster.OutlierDetection(
        split_external_local_origin_errors=True,
        consecutive_local_origin_failure=1,
        enforcing_consecutive_local_origin_failure=100,
        enforcing_local_origin_success_rate=0,
        enforcing_consecutive_5xx=0,
        enforcing_consecutive_gateway_failure=0,
        enforcing_success_rate=0,
        interval=api.duration(0.1),
        base_ejection_time=api.duration(0.5),
        max_ejection_time=api.duration(0.5),
        max_ejection_percent=100,
    )


def _next_worker(when: str) -> api.route.RetryPolicy:
    """Retry on another worker if one is unreachable: it has not seen the request, so nothing is done twice."""
    return api.route.RetryPolicy(
        retry_on=when,
        num_retries=3,
        retry_back_off=api.route.RetryPolicyRetryBackOff(base_interval=api.duration(0.005), max_interval=api.duration(0.05)),
        retry_host_predicate=[
            api.route.RetryPolicyRetryHostPredicate(
                name="envoy.retry_host_predicates.previous_hosts",
                typed_config=api.pack(api.previous_hosts.PreviousHostsPredicate()),
            )
        ],
        host_selection_retry_max_attempts=10,
    )


def _grpc_cluster(name: str, addresses: Sequence[str], options: api.upstream_http.HttpProtocolOptions) -> api.cluster.Cluster:
    is_named = any(_is_name(where) for where in addresses)
    kinds = api.cluster.ClusterDiscoveryType
    return api.cluster.Cluster(
        name=name,
        type=kinds.STRICT_DNS if is_named else kinds.STATIC,
        dns_lookup_family=api.cluster.ClusterDnsLookupFamily.V4_PREFERRED,
        connect_timeout=api.duration(1),
        load_assignment=_load_assignment(name, addresses),
        typed_extension_protocol_options={
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": api.pack(options),
        },
    )


def _load_assignment(name: str, addresses: Sequence[str]) -> api.endpoint.ClusterLoadAssignment:
    endpoints = [api.endpoint.LbEndpoint(endpoint=api.endpoint.Endpoint(address=address.parse(where))) for where in addresses]
    return api.endpoint.ClusterLoadAssignment(
        cluster_name=name, endpoints=[api.endpoint.LocalityLbEndpoints(lb_endpoints=endpoints)]
    )


def _is_name(where: str) -> bool:
    socket = address.parse(where).socket_address
    return socket is not None and not address.is_ip(socket.address)


def _http2() -> api.upstream_http.HttpProtocolOptions:
    keepalive = api.core.KeepaliveSettings(interval=api.duration(30), timeout=api.duration(5))
    return api.upstream_http.HttpProtocolOptions(
        explicit_http_config=api.upstream_http.HttpProtocolOptionsExplicitHttpConfig(
            http2_protocol_options=api.core.Http2ProtocolOptions(connection_keepalive=keepalive)
        )
    )
