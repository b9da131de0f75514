"""Callers: who may use the gateway, and what of it."""

from typing import Annotated

from control_plane.config.model.types import Default, SecretText, Section, Text


class Caller(Section):
    """Somebody who calls listeners that ask for a key."""

    name: Text
    """Name in logs and metrics, and in the header `x-plano-caller` that agents are sent."""
    keys: tuple[SecretText, ...] = ()
    """Any of these is accepted: to roll a key, add the new one, then remove the old one. Write `$NAME`, not the key itself."""
    certificates: tuple[Text, ...] = ()
    """Names that its certificates have: a URI (`spiffe://example.com/billing`), else a DNS name, else the subject
    (`CN=billing,O=Example`). A certificate with several names of a kind has them all, with commas between them."""
    listeners: tuple[Text, ...] | None = None
    """Names of the listeners that take its keys; all that ask for keys unless given."""
    models: tuple[Text, ...] | None = None
    """Models that it may ask for: names, aliases, or `provider/*`; all unless given."""
    agents: tuple[Text, ...] | None = None
    """Ids of agents that may answer it; all unless given."""


class Auth(Section):
    """What clients of a listener must show."""

    api_keys: Annotated[bool | None, Default("true, unless clients show something else")] = None
    """Whether a key of one of `callers` is needed, in `authorization: Bearer`, `x-api-key` or `api-key`. Envoy compares it, and
    removes it before anything else sees the request."""
    client_certificates: bool = False
    """Whether the certificate of the connection has to be that of one of `callers`; needs `tls.client_ca`."""

    @property
    def shows_keys(self) -> bool:
        """Whether clients show a key."""
        return not self.client_certificates if self.api_keys is None else self.api_keys
