"""An upstream's URL -> where a cluster sends to, and the path that goes before a request's own."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from control_plane.config.model import Overrides
from control_plane.ir.model import Cluster, Endpoint, InjectedHeader, UpstreamTls

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A URL, taken apart."""

    host: str
    port: int
    is_tls: bool
    path: str
    """Without a trailing slash; empty if there is none."""

    @property
    def host_header(self) -> str:
        """What the upstream sees as Host: the port only where it is not the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == DEFAULT_PORTS["https" if self.is_tls else "http"] else f"{name}:{self.port}"


def parse_upstream(url: str) -> Upstream:
    """Take apart a URL that the checks have passed: http or https, with a host."""
    parts = urlsplit(url)
    return Upstream(
        host=parts.hostname or "",
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        is_tls=parts.scheme == "https",
        path=parts.path.rstrip("/"),
    )


def build_cluster(
    name: str,
    upstream: Upstream,
    overrides: Overrides,
    *,
    host_header: str | None = None,
    injected_headers: tuple[InjectedHeader, ...] = (),
) -> Cluster:
    """Build the cluster that sends to an upstream."""
    return Cluster(
        name=name,
        endpoints=(Endpoint(host=upstream.host, port=upstream.port),),
        host_header=host_header or upstream.host_header,
        connect_timeout_seconds=overrides.upstream_connect_timeout,
        tls=UpstreamTls(sni=upstream.host, ca_path=overrides.upstream_tls_ca_path) if upstream.is_tls else None,
        injected_headers=injected_headers,
    )
