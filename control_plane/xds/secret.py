"""Credentials -> SDS secrets, the only place where a secret's value is revealed."""

from control_plane import ir
from control_plane.xds import api


def build_secret(injected: ir.InjectedHeader) -> api.tls.Secret:
    """Build the secret that a cluster's credential_injector names."""
    value = api.core.DataSource(inline_string=injected.value.reveal())
    return api.tls.Secret(name=injected.secret_name, generic_secret=api.tls.GenericSecret(secret=value))
