"""How Envoy's statistics become Prometheus labels: the names of upstreams and listeners may have dots, as `gpt-4.1` has.

By default Envoy takes a name to end at its first dot: the rest would become part of the metric's name. Each expression
begins with a plain word, so that Envoy tries it on few of the hundred thousand statistics of a thousand upstreams.
"""

from typing import Final

from control_plane.xds import api

# What follows a name is one word, or begins with one of these.
_OF_CLUSTERS: Final = (
    "canary|circuit_breakers|credential_injector|default|external|ext_proc|health_check|http[123]|internal|outlier_detection"
    "|retry|ssl|zone"
)
_OF_CONNECTIONS: Final = "ext_proc|health_check|rds|tracing|user_agent"
_OF_LISTENERS: Final = r"http|ssl|worker_\d+"

_TAGS: Final = {
    # Envoy names what a cluster's own filters count cluster.<name>.cluster.<name>ext_proc.<word>.
    "envoy.cluster_name": rf"^cluster\.((.+?)\.(?:cluster\..+?)?)(?:(?:{_OF_CLUSTERS})\..+|[^.]+)$",
    "envoy.http_conn_manager_prefix": rf"^http\.((.+?)\.)(?:(?:{_OF_CONNECTIONS})\..+|[^.]+)$",
    "envoy.listener_address": rf"^listener\.((.+?)\.)(?:(?:{_OF_LISTENERS})\..+|[^.]+)$",
    "envoy.rds_route_config": r"^http\..+?\.rds\.((.+)\.)[^.]+$",
    "envoy.xds_resource_name": r"^sds\.((.+)\.)[^.]+$",
    "plano.listener": r"^listener\..+?\.http\.((.+)\.)[^.]+$",
}


def build_stats_config() -> api.metrics.StatsConfig:
    """Override the tags whose values may have dots; Envoy's others stay."""
    return api.metrics.StatsConfig(
        stats_tags=[api.metrics.TagSpecifier(tag_name=name, regex=regex) for name, regex in _TAGS.items()],
        allow_default_tag_overrides=True,
    )
