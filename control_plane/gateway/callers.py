"""`callers` and `listeners[].auth` -> the keys that Envoy accepts, and the permissions that ext_proc checks."""

from collections.abc import Iterator

from control_plane import ir
from control_plane.config.check.callers import callers_of, shown_at
from control_plane.config.model import Instance, Listener, PlanoConfig
from control_plane.gateway.upstream import build_cluster
from control_plane.ir import names
from protos import filter_config_pb2 as pb


def build_callers(config: PlanoConfig, listener: Listener) -> tuple[ir.Caller, ...] | None:
    """Build the callers of a listener; None without authentication."""
    if not listener.asks_for_keys:
        return None
    callers = sorted(callers_of(config, listener.name), key=lambda caller: caller.name)
    return tuple(ir.Caller(name=caller.name, keys=shown_at(listener, caller)) for caller in callers)


def credential_of(listener: Listener) -> ir.Credential:
    """Return what a listener tells callers by."""
    if listener.auth is None or listener.auth.shows_keys:
        return ir.Credential.API_KEY
    return ir.Credential.CERTIFICATE if listener.auth.client_certificates else ir.Credential.TOKEN


def build_jwt(listener: Listener) -> ir.Jwt | None:
    """Build whose tokens a listener takes."""
    jwt = listener.auth.jwt if listener.auth else None
    if jwt is None:
        return None
    return ir.Jwt(
        issuer=jwt.issuer,
        audiences=tuple(sorted(set(jwt.audiences))),
        claim=jwt.claim,
        jwks_url=jwt.jwks_url or "",
        jwks_cluster=names.jwks(jwt.jwks_url) if jwt.jwks_url else "",
        jwks_path=jwt.jwks_file or "",
    )


def build_jwks_clusters(config: PlanoConfig) -> Iterator[ir.Cluster]:
    """Build the clusters of issuers' keys, one for each URL."""
    urls = {listener.auth.jwt.jwks_url for listener in config.listeners if listener.auth and listener.auth.jwt}
    for url in sorted(filter(None, urls)):
        yield build_cluster(names.jwks(url), (Instance(url=url),), None, config.overrides)


def build_tls(listener: Listener) -> ir.DownstreamTls | None:
    """Build what a listener proves itself by."""
    if listener.tls is None:
        return None
    return ir.DownstreamTls(
        secret_name=names.certificate(listener.name),
        certificate_path=listener.tls.certificate,
        key_path=listener.tls.key,
        client_ca_path=listener.tls.client_ca or "",
    )


def build_permissions(config: PlanoConfig) -> list[pb.Caller]:
    """Build the permissions of callers, without their keys."""
    if not any(listener.asks_for_keys for listener in config.listeners):
        return []
    return [
        pb.Caller(
            name=caller.name,
            restricts_models=caller.models is not None,
            models=caller.models or (),
            restricts_agents=caller.agents is not None,
            agents=caller.agents or (),
        )
        for caller in sorted(config.callers, key=lambda caller: caller.name)
    ]
