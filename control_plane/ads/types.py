"""The resource types that are served, who gets them, and the order in which one change of several types is sent.

https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations
"""

from enum import StrEnum
from typing import Final

from protos.contract.discovery import FILTER_CONFIG_TYPE_URL

CLUSTER: Final = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ENDPOINT: Final = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
SECRET: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 - a type
LISTENER: Final = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTE: Final = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
FILTER_CONFIG: Final = FILTER_CONFIG_TYPE_URL

SENDING_ORDER: Final = (CLUSTER, ENDPOINT, SECRET, LISTENER, ROUTE, FILTER_CONFIG)
"""Make before break: what is referred to comes before what refers to it, a listener's routes after the listener."""

WHOLE_SET: Final = frozenset({CLUSTER, LISTENER, FILTER_CONFIG})
"""Types whose response always holds every resource, so that a missing one is a deleted one; the others go by name."""

SHORT_NAMES: Final = {
    CLUSTER: "cds",
    ENDPOINT: "eds",
    SECRET: "sds",
    LISTENER: "lds",
    ROUTE: "rds",
    FILTER_CONFIG: "filter_config",
}
"""For logs, metric labels and `plano status`."""


class Role(StrEnum):
    """What a client is, as its node's cluster says."""

    ENVOY = "envoy"
    EXT_PROC = "ext_proc"


SERVED_TO: Final = {
    Role.ENVOY: frozenset({CLUSTER, ENDPOINT, SECRET, LISTENER, ROUTE}),
    Role.EXT_PROC: frozenset({FILTER_CONFIG}),
}


def short_name(type_url: str) -> str:
    """Return a bounded word for a type; a client may ask for anything."""
    return SHORT_NAMES.get(type_url, "other")
