"""Aliases of the Envoy packages that the translation uses. The only importer of envoy-data-plane.

The dataclasses carry Envoy's whole API reference in their docstrings. `pack` puts a message into an `Any`.
"""

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import betterproto2
from envoy_data_plane.cel import expr as cel_expr
from envoy_data_plane.envoy.config.accesslog import v3 as accesslog
from envoy_data_plane.envoy.config.bootstrap import v3 as bootstrap
from envoy_data_plane.envoy.config.cluster import v3 as cluster
from envoy_data_plane.envoy.config.common.mutation_rules import v3 as mutation
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.config.endpoint import v3 as endpoint
from envoy_data_plane.envoy.config.listener import v3 as listener
from envoy_data_plane.envoy.config.metrics import v3 as metrics
from envoy_data_plane.envoy.config.overload import v3 as overload
from envoy_data_plane.envoy.config.route import v3 as route
from envoy_data_plane.envoy.config.trace import v3 as trace
from envoy_data_plane.envoy.extensions.access_loggers.file import v3 as file_log
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel import v3 as cel_filter
from envoy_data_plane.envoy.extensions.access_loggers.stats import v3 as stats_log
from envoy_data_plane.envoy.extensions.access_loggers.stream import v3 as stream_log
from envoy_data_plane.envoy.extensions.bootstrap.internal_listener import v3 as internal_listener
from envoy_data_plane.envoy.extensions.clusters.aggregate import v3 as aggregate
from envoy_data_plane.envoy.extensions.clusters.common.dns import v3 as dns
from envoy_data_plane.envoy.extensions.clusters.dns import v3 as dns_cluster
from envoy_data_plane.envoy.extensions.common.aws import v3 as aws
from envoy_data_plane.envoy.extensions.common.matching import v3 as matching
from envoy_data_plane.envoy.extensions.common.ratelimit import v3 as ratelimit
from envoy_data_plane.envoy.extensions.compression.brotli.decompressor import v3 as brotli
from envoy_data_plane.envoy.extensions.compression.gzip.decompressor import v3 as gzip
from envoy_data_plane.envoy.extensions.compression.zstd.decompressor import v3 as zstd
from envoy_data_plane.envoy.extensions.filters.common.matcher.action import v3 as matcher_action
from envoy_data_plane.envoy.extensions.filters.http.api_key_auth import v3 as api_key_auth
from envoy_data_plane.envoy.extensions.filters.http.aws_request_signing import v3 as aws_request_signing
from envoy_data_plane.envoy.extensions.filters.http.buffer import v3 as buffer
from envoy_data_plane.envoy.extensions.filters.http.composite import v3 as composite
from envoy_data_plane.envoy.extensions.filters.http.cors import v3 as cors
from envoy_data_plane.envoy.extensions.filters.http.credential_injector import v3 as credential_injector
from envoy_data_plane.envoy.extensions.filters.http.decompressor import v3 as decompressor
from envoy_data_plane.envoy.extensions.filters.http.ext_proc import v3 as ext_proc
from envoy_data_plane.envoy.extensions.filters.http.grpc_http1_bridge import v3 as grpc_http1_bridge
from envoy_data_plane.envoy.extensions.filters.http.header_mutation import v3 as header_mutation
from envoy_data_plane.envoy.extensions.filters.http.header_to_metadata import v3 as header_to_metadata
from envoy_data_plane.envoy.extensions.filters.http.health_check import v3 as health_check
from envoy_data_plane.envoy.extensions.filters.http.jwt_authn import v3 as jwt_authn
from envoy_data_plane.envoy.extensions.filters.http.local_ratelimit import v3 as local_ratelimit
from envoy_data_plane.envoy.extensions.filters.http.lua import v3 as lua
from envoy_data_plane.envoy.extensions.filters.http.router import v3 as router
from envoy_data_plane.envoy.extensions.filters.http.upstream_codec import v3 as upstream_codec
from envoy_data_plane.envoy.extensions.filters.network.connection_limit import v3 as connection_limit
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager import v3 as hcm
from envoy_data_plane.envoy.extensions.filters.network.redis_proxy import v3 as redis_proxy
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation import v3 as early_mutation
from envoy_data_plane.envoy.extensions.http.injected_credentials.generic import v3 as generic_credential
from envoy_data_plane.envoy.extensions.request_id.uuid import v3 as request_id
from envoy_data_plane.envoy.extensions.resource_monitors.downstream_connections import v3 as connections_monitor
from envoy_data_plane.envoy.extensions.resource_monitors.fixed_heap import v3 as heap_monitor
from envoy_data_plane.envoy.extensions.retry.host.previous_hosts import v3 as previous_hosts
from envoy_data_plane.envoy.extensions.retry.priority.previous_priorities import v3 as previous_priorities
from envoy_data_plane.envoy.extensions.tracers.opentelemetry.resource_detectors import v3 as resource_detectors
from envoy_data_plane.envoy.extensions.tracers.opentelemetry.samplers import v3 as samplers
from envoy_data_plane.envoy.extensions.transport_sockets.tls import v3 as tls
from envoy_data_plane.envoy.extensions.upstreams.http import v3 as upstream_http
from envoy_data_plane.envoy.type import v3 as type_v3
from envoy_data_plane.envoy.type.matcher import v3 as matcher
from envoy_data_plane.envoy.type.metadata import v3 as metadata
from envoy_data_plane.envoy.type.tracing import v3 as tracing
from envoy_data_plane.google import protobuf
from envoy_data_plane.message_pool import default_message_pool
from envoy_data_plane.xds.core import v3 as xds_core
from envoy_data_plane.xds.type import v3 as xds_type
from envoy_data_plane.xds.type.matcher import v3 as xds_matcher

from control_plane.xds.encode import encode

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "CLUSTER",
    "ENDPOINT",
    "LISTENER",
    "ROUTE",
    "SECRET",
    "accesslog",
    "ads",
    "aggregate",
    "api_key_auth",
    "aws",
    "aws_request_signing",
    "betterproto2",
    "bootstrap",
    "brotli",
    "buffer",
    "cel_expr",
    "cel_filter",
    "cluster",
    "composite",
    "connection_limit",
    "connections_monitor",
    "core",
    "cors",
    "credential_injector",
    "decompressor",
    "default_message_pool",
    "dns",
    "dns_cluster",
    "duration",
    "early_mutation",
    "endpoint",
    "ext_proc",
    "extension",
    "file_log",
    "generic_credential",
    "grpc_http1_bridge",
    "gzip",
    "hcm",
    "header_mutation",
    "header_to_metadata",
    "health_check",
    "heap_monitor",
    "internal_listener",
    "jwt_authn",
    "listener",
    "local_ratelimit",
    "lua",
    "matcher",
    "matcher_action",
    "matching",
    "message_class",
    "metadata",
    "metrics",
    "mutation",
    "overload",
    "pack",
    "previous_hosts",
    "previous_priorities",
    "protobuf",
    "ratelimit",
    "redis_proxy",
    "request_id",
    "resource_detectors",
    "route",
    "router",
    "samplers",
    "stats_log",
    "stream_log",
    "tls",
    "trace",
    "tracing",
    "type_url",
    "type_v3",
    "upstream_codec",
    "upstream_http",
    "xds_core",
    "xds_extension",
    "xds_matcher",
    "xds_type",
    "zstd",
]


def type_url(message_class: type[betterproto2.Message]) -> str:
    """Return the type URL of a message class."""
    return default_message_pool.type_to_url[message_class]


def message_class(url: str) -> type[betterproto2.Message] | None:
    """Return the message class of a type URL; None if it is not one of Envoy's."""
    return default_message_pool.url_to_type.get(url)


def field_number(message_class: type[betterproto2.Message], name: str) -> int:
    """Return the number of a field on the wire."""
    fields = dataclasses.fields(cast("type[DataclassInstance]", message_class))
    return next(betterproto2.FieldMetadata.get(field).number for field in fields if field.name == name)


def pack(message: betterproto2.Message) -> protobuf.Any:
    """Wrap a message in an `Any`."""
    return protobuf.Any(type_url=type_url(type(message)), value=encode(message))


def extension(name: str, message: betterproto2.Message) -> core.TypedExtensionConfig:
    """Build the typed configuration of an Envoy extension."""
    return core.TypedExtensionConfig(name=name, typed_config=pack(message))


def xds_extension(name: str, message: betterproto2.Message) -> xds_core.TypedExtensionConfig:
    """The same for the matchers of the xDS project."""
    return xds_core.TypedExtensionConfig(name=name, typed_config=pack(message))


def duration(seconds: float) -> timedelta:
    """Return a duration as a dataclass."""
    return timedelta(seconds=seconds)


def ads() -> core.ConfigSource:
    """Return the source of every dynamic resource: the one ADS stream."""
    return core.ConfigSource(ads=core.AggregatedConfigSource(), resource_api_version=core.ApiVersion.V3)


CLUSTER: Final = type_url(cluster.Cluster)
ENDPOINT: Final = type_url(endpoint.ClusterLoadAssignment)
LISTENER: Final = type_url(listener.Listener)
ROUTE: Final = type_url(route.RouteConfiguration)
SECRET: Final = type_url(tls.Secret)
