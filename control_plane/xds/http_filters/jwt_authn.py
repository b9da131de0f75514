"""Envoy's jwt_authn: verifies a client's token, and leaves the claim that tells the caller for api_key_auth to look up.

https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter
"""

from typing import Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.api_key_auth import SUBJECT_HEADER

_ISSUER: Final = "issuer"
_KEYS_SECONDS: Final = 300.0
_FETCH_SECONDS: Final = 5.0


def build_jwt_authn(jwt: ir.Jwt) -> api.hcm.HttpFilter:
    """Build the filter: a token of the issuer is needed, for one of the audiences, and not expired."""
    provider = api.jwt_authn.JwtProvider(
        issuer=jwt.issuer,
        audiences=list(jwt.audiences),
        require_expiration=True,
        remote_jwks=None if jwt.jwks_path else _remote(jwt),
        local_jwks=api.core.DataSource(filename=jwt.jwks_path) if jwt.jwks_path else None,
        from_headers=[api.jwt_authn.JwtHeader(name="authorization", value_prefix="Bearer ")],
        claim_to_headers=[api.jwt_authn.JwtClaimToHeader(header_name=SUBJECT_HEADER, claim_name=jwt.claim)],
    )
    everything = api.jwt_authn.RequirementRule(
        match=api.route.RouteMatch(prefix="/"), requires=api.jwt_authn.JwtRequirement(provider_name=_ISSUER)
    )
    config = api.jwt_authn.JwtAuthentication(providers={_ISSUER: provider}, rules=[everything])
    return api.hcm.HttpFilter(name="envoy.filters.http.jwt_authn", typed_config=api.pack(config))


def _remote(jwt: ir.Jwt) -> api.jwt_authn.RemoteJwks:
    """Get the keys before they are needed, and go on with those that are there while the issuer is away."""
    return api.jwt_authn.RemoteJwks(
        http_uri=api.core.HttpUri(uri=jwt.jwks_url, cluster=jwt.jwks_cluster, timeout=api.duration(_FETCH_SECONDS)),
        cache_duration=api.duration(_KEYS_SECONDS),
        async_fetch=api.jwt_authn.JwksAsyncFetch(fast_listener=True, failed_refetch_duration=api.duration(1.0)),
    )
