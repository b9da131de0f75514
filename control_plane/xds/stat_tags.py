"""Tags of Envoy's statistics, which become Prometheus labels: names may contain dots, such as `gpt-4.1`.

By default Envoy ends a name at its first dot, and the rest becomes part of the metric's name. Each expression
begins with a plain word, so that Envoy tries it on few of the hundred thousand statistics of a thousand upstreams.
"""

from typing import Final

from control_plane.xds import api

# After a name follows one word, or one of these prefixes.
_OF_CLUSTERS: Final = (
    "canary|circuit_breakers|credential_injector|default|external|ext_proc|health_check|http[123]|internal|outlier_detection"
    "|retry|ssl|zone"
)
_OF_CONNECTIONS: Final = "ext_proc|health_check|rds|tracing|user_agent"
_OF_LISTENERS: Final = r"http|ssl|worker_\d+"

_TAGS: Final = {
    # Statistics of a cluster's own filters are cluster.<name>.cluster.<name>ext_proc.<word>.
    "envoy.cluster_name": rf"^cluster\.((.+?)\.(?:cluster\..+?)?)(?:(?:{_OF_CLUSTERS})\..+|[^.]+)$",
    "envoy.http_conn_manager_prefix": rf"^http\.((.+?)\.)(?:(?:{_OF_CONNECTIONS})\..+|[^.]+)$",
    "envoy.listener_address": rf"^listener\.((.+?)\.)(?:(?:{_OF_LISTENERS})\..+|[^.]+)$",
    "envoy.rds_route_config": r"^http\..+?\.rds\.((.+)\.)[^.]+$",
    "envoy.xds_resource_name": r"^sds\.((.+)\.)[^.]+$",
    "plano.listener": r"^listener\..+?\.http\.((.+)\.)[^.]+$",
}


def build_stats_config() -> api.metrics.StatsConfig:
    """Build the tags whose values may contain dots; Envoy's others stay."""
    return api.metrics.StatsConfig(
        stats_tags=[api.metrics.TagSpecifier(tag_name=name, regex=regex) for name, regex in _TAGS.items()],
        allow_default_tag_overrides=True,
    )
