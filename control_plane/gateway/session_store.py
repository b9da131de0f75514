"""`routing.session_cache` of type redis -> an upstream of Envoy; ext_proc does not get its password."""

from typing import Final
from urllib.parse import unquote, urlsplit

from control_plane import ir
from control_plane.config.model import PlanoConfig
from control_plane.gateway.runtime import Runtime
from control_plane.ir import names
from control_plane.ir.secret import Secret

_PORT: Final = 6379
_CONNECT_SECONDS: Final = 0.1
_ANSWER_SECONDS: Final = 0.05
_OUTLIERS: Final = ir.OutlierDetection(consecutive_errors=2, ejection_seconds=2.0, max_ejection_percent=100)
"""Requests must not wait for a session: two consecutive timeouts or failed connections eject the host."""


def build_session_store(config: PlanoConfig, runtime: Runtime) -> ir.SessionStore | None:
    """Build the Redis of a checked configuration; None if sessions are stored on this machine."""
    cache = config.routing.session_cache if config.routing else None
    if cache is None or cache.type != "redis" or cache.url is None:
        return None
    parts = urlsplit(cache.url.reveal())
    host = parts.hostname or ""
    tls = ir.UpstreamTls(sni=host, ca_path=config.overrides.upstream_tls_ca_path) if parts.scheme == "rediss" else None
    return ir.SessionStore(
        cluster=ir.Cluster(
            name=names.SESSION_STORE,
            endpoints=(ir.Endpoint(host=host, port=parts.port or _PORT),),
            host_header=host,
            connect_timeout_seconds=_CONNECT_SECONDS,
            tls=tls,
            # If a name has several addresses, each key maps to one of them.
            load_balancing=ir.LoadBalancing.RING_HASH,
            outlier_detection=_OUTLIERS,
        ),
        address=runtime.sessions_address,
        url=runtime.sessions_url,
        answer_timeout_seconds=_ANSWER_SECONDS,
        user=unquote(parts.username or ""),
        password=Secret(unquote(parts.password)) if parts.password else None,
    )
