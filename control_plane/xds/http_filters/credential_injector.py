"""The upstream http_filters of clusters: they run once per attempt, after the endpoint was chosen."""

from collections.abc import Sequence

from control_plane import ir
from control_plane.xds import api


def with_codec(filters: Sequence[api.hcm.HttpFilter]) -> list[api.hcm.HttpFilter]:
    """Append upstream_codec to a list of upstream http_filters, unless it is empty."""
    return [*filters, _codec()] if filters else []


def build_credential_injectors(headers: Sequence[ir.InjectedHeader]) -> list[api.hcm.HttpFilter]:
    """Build the filters that set a cluster's secrets, which come over SDS."""
    return [_injector(injected) for injected in sorted(headers, key=lambda injected: injected.header)]


def _injector(injected: ir.InjectedHeader) -> api.hcm.HttpFilter:
    credential = api.generic_credential.Generic(
        credential=api.tls.SdsSecretConfig(name=injected.secret_name, sds_config=api.ads()), header=injected.header
    )
    injector = api.credential_injector.CredentialInjector(
        overwrite=True, credential=api.extension("envoy.http.injected_credentials.generic", credential)
    )
    return api.hcm.HttpFilter(name=f"plano.credential.{injected.header}", typed_config=api.pack(injector))


def _codec() -> api.hcm.HttpFilter:
    return api.hcm.HttpFilter(
        name="envoy.filters.http.upstream_codec", typed_config=api.pack(api.upstream_codec.UpstreamCodec())
    )
