"""Envoy's api_key_auth: identifies callers by key, without ext_proc.

The keys are in the virtual host, not in the filter: adding or revoking one changes a route table and drains no connection.
https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/api_key_auth_filter
"""

from collections.abc import Iterable
from typing import Final

from control_plane import ir
from control_plane.xds import api
from protos.contract.headers import CALLER_HEADER, KEY_HEADERS

_FILTER: Final = "envoy.filters.http.api_key_auth"


PEER_HEADERS: Final = {
    "x-plano-peer-uri": "%DOWNSTREAM_PEER_URI_SAN%",
    "x-plano-peer-dns": "%DOWNSTREAM_PEER_DNS_SAN%",
    "x-plano-peer-subject": "%DOWNSTREAM_PEER_SUBJECT%",
}
"""Request headers that early mutations set to names of the connection's certificate, in order of precedence: the filter
compares them like keys."""


SUBJECT_HEADER: Final = "x-plano-subject"
"""Request header that jwt_authn sets to the claim of a verified token that tells the caller."""

_SOURCES: Final = {
    ir.Credential.API_KEY: KEY_HEADERS,
    ir.Credential.CERTIFICATE: (*PEER_HEADERS,),
    ir.Credential.TOKEN: (SUBJECT_HEADER,),
}


def build_api_key_auth(credential: ir.Credential) -> api.hcm.HttpFilter:
    """Build the filter: it knows the headers of keys; by itself it accepts none."""
    config = api.api_key_auth.ApiKeyAuth(
        key_sources=[api.api_key_auth.KeySource(header=header) for header in _SOURCES[credential]], forwarding=_forwarding()
    )
    return api.hcm.HttpFilter(name=_FILTER, typed_config=api.pack(config))


def let_in(callers: Iterable[ir.Caller]) -> dict[str, api.protobuf.Any]:
    """Build the keys of a virtual host's callers."""
    credentials = [
        api.api_key_auth.Credential(key=key.reveal(), client=caller.name) for caller in callers for key in caller.keys
    ]
    config = api.api_key_auth.ApiKeyAuthPerRoute(credentials=credentials, forwarding=_forwarding())
    return {_FILTER: api.pack(config)}


def _forwarding() -> api.api_key_auth.Forwarding:
    return api.api_key_auth.Forwarding(header=CALLER_HEADER, hide_credentials=True)
