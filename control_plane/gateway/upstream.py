"""An upstream's URL -> the endpoint of a cluster, and the prefix of request paths."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from control_plane.config.model import Instance, Overrides, Resilience
from control_plane.gateway.resilience import (
    build_circuit_breaker,
    build_health_check,
    build_outlier_detection,
    connect_timeout,
    settings_of,
)
from control_plane.ir import AwsSigning, Cluster, Endpoint, InjectedHeader, LoadBalancing, UpstreamTls

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A parsed URL."""

    host: str
    port: int
    is_tls: bool
    path: str
    """Without a trailing slash; empty if there is none."""

    @property
    def host_header(self) -> str:
        """The Host header: with the port only if it is not the scheme's default."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == DEFAULT_PORTS["https" if self.is_tls else "http"] else f"{name}:{self.port}"


def parse_upstream(url: str) -> Upstream:
    """Parse a checked URL: http or https, with a host."""
    parts = urlsplit(url)
    return Upstream(
        host=parts.hostname or "",
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        is_tls=parts.scheme == "https",
        path=parts.path.rstrip("/"),
    )


def build_cluster(  # noqa: PLR0913 - what clusters differ in
    name: str,
    instances: tuple[Instance, ...],
    resilience: Resilience | None,
    overrides: Overrides,
    *,
    host_header: str | None = None,
    injected_headers: tuple[InjectedHeader, ...] = (),
    takes_client_token: bool = False,
    aws: AwsSigning | None = None,
    is_http2: bool = False,
) -> Cluster:
    """Build the cluster of all instances of an upstream, which share scheme and path."""
    settings = settings_of(resilience, overrides)
    first = parse_upstream(instances[0].url)
    common = host_header or first.host_header
    return Cluster(
        name=name,
        endpoints=tuple(_endpoint(instance, host_header, common) for instance in instances),
        host_header=common,
        connect_timeout_seconds=connect_timeout(settings, overrides),
        tls=UpstreamTls(sni=first.host, ca_path=overrides.upstream_tls_ca_path) if first.is_tls else None,
        injected_headers=injected_headers,
        takes_client_token=takes_client_token,
        aws=aws,
        is_http2=is_http2,
        load_balancing=LoadBalancing(settings.load_balancing),
        circuit_breaker=build_circuit_breaker(settings),
        outlier_detection=build_outlier_detection(settings),
        health_check=build_health_check(settings),
    )


def _endpoint(instance: Instance, host_header: str | None, common: str) -> Endpoint:
    """Build one endpoint, with a Host of its own only if it differs from that of the others."""
    upstream = parse_upstream(instance.url)
    own = host_header or upstream.host_header
    return Endpoint(
        host=upstream.host,
        port=upstream.port,
        weight=instance.weight,
        is_canary=instance.canary,
        host_header="" if own == common else own,
    )
