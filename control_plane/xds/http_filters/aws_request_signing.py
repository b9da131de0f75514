"""The upstream http_filter that signs requests for AWS (SigV4): the last before the codec, as it signs what it sees.

https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/aws_request_signing_filter
"""

from typing import Final

from control_plane import ir
from control_plane.xds import api

FILTER_NAME: Final = "envoy.filters.http.aws_request_signing"
_SIGNED: Final = ("content-type",)
"""Beside the host and what begins with `x-amz-`: whatever stands on the way may change other headers."""


def build_aws_signing(signing: ir.AwsSigning, host_header: str) -> list[api.hcm.HttpFilter]:
    """Build the filter; it sees the request before Envoy has put the endpoint's host into it."""
    config = api.aws_request_signing.AwsRequestSigning(
        service_name=signing.service,
        region=signing.region,
        host_rewrite=host_header,
        match_included_headers=[api.matcher.StringMatcher(exact=name) for name in _SIGNED],
        credential_provider=_profile(signing.profile) if signing.profile else None,
    )
    return [api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(config))]


def _profile(name: str) -> api.aws.AwsCredentialProvider:
    provider = api.aws.CredentialsFileCredentialProvider(profile=name)
    return api.aws.AwsCredentialProvider(credentials_file_provider=provider, custom_credential_provider_chain=True)
