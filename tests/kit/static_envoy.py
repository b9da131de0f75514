"""Translated resources as one static bootstrap, so that `envoy --mode validate` reads all of them at once."""

from control_plane.xds import Resources, api
from control_plane.xds.bootstrap import build_bootstrap


def static_bootstrap(resources: Resources) -> api.bootstrap.Bootstrap:
    """Put every resource in the bootstrap; routes and endpoints go where they are referred to."""
    bootstrap = build_bootstrap(node_id="test", xds="127.0.0.1:1", ext_proc=["127.0.0.1:2"], admin="127.0.0.1:0")
    static = bootstrap.static_resources
    assert static is not None
    endpoints = {resource.name: resource.value for resource in resources.of(api.ENDPOINT)}
    for resource in resources.of(api.CLUSTER):
        cluster = _with_endpoints(api.cluster.Cluster.parse(resource.value), endpoints)
        static.clusters.append(_with_static_secrets(cluster))
    routes = {resource.name: resource.value for resource in resources.of(api.ROUTE)}
    for resource in resources.of(api.LISTENER):
        static.listeners.append(_with_routes(api.listener.Listener.parse(resource.value), routes))
    static.secrets = [api.tls.Secret.parse(resource.value) for resource in resources.of(api.SECRET)]
    return bootstrap


def _with_endpoints(cluster: api.cluster.Cluster, endpoints: dict[str, bytes]) -> api.cluster.Cluster:
    if cluster.name in endpoints:
        cluster.eds_cluster_config = None
        cluster.type = api.cluster.ClusterDiscoveryType.STATIC
        cluster.load_assignment = api.endpoint.ClusterLoadAssignment.parse(endpoints[cluster.name])
    return cluster


def _with_static_secrets(cluster: api.cluster.Cluster) -> api.cluster.Cluster:
    """Look secrets up in the bootstrap: Envoy's validation dies with a segmentation fault when one comes over ADS."""
    (name, packed), *_ = cluster.typed_extension_protocol_options.items()
    options = api.upstream_http.HttpProtocolOptions.parse(packed.value)
    for http_filter in options.http_filters:
        assert http_filter.typed_config is not None
        if http_filter.typed_config.type_url != api.type_url(api.credential_injector.CredentialInjector):
            continue
        injector = api.credential_injector.CredentialInjector.parse(http_filter.typed_config.value)
        assert injector.credential is not None
        assert injector.credential.typed_config is not None
        generic = api.generic_credential.Generic.parse(injector.credential.typed_config.value)
        assert generic.credential is not None
        generic.credential.sds_config = None
        injector.credential.typed_config = api.pack(generic)
        http_filter.typed_config = api.pack(injector)
    cluster.typed_extension_protocol_options[name] = api.pack(options)
    return cluster


def _with_routes(listener: api.listener.Listener, routes: dict[str, bytes]) -> api.listener.Listener:
    network_filter = listener.filter_chains[0].filters[-1]
    packed = network_filter.typed_config
    assert packed is not None
    manager = api.hcm.HttpConnectionManager.parse(packed.value)
    assert manager.rds is not None
    manager.route_config = api.route.RouteConfiguration.parse(routes[manager.rds.route_config_name])
    manager.rds = None
    network_filter.typed_config = api.pack(manager)
    return listener
