"""The served resource types, the role that receives each, and the order in which a change of several types is sent.

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
"""Make before break: referenced types come before those that refer to them, and a listener's routes after the listener."""

WHOLE_SET: Final = frozenset({CLUSTER, LISTENER, FILTER_CONFIG})
"""Types whose responses contain all resources, so that a missing one is deleted; others are requested by name."""

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
    """The role of a client, given by its node's cluster."""

    ENVOY = "envoy"
    EXT_PROC = "ext_proc"


SERVED_TO: Final = {
    Role.ENVOY: frozenset({CLUSTER, ENDPOINT, SECRET, LISTENER, ROUTE}),
    Role.EXT_PROC: frozenset({FILTER_CONFIG}),
}


def short_name(type_url: str) -> str:
    """Return a short name for a type, from a closed set: a client may send any type URL."""
    return SHORT_NAMES.get(type_url, "other")
