"""Callers: who may use the gateway, and what of it."""

from typing import Annotated

from pydantic import Field

from control_plane.config.model.types import Default, FilePath, SecretText, Section, Text


class TokenSubject(Section):
    """Who somebody is in the tokens of an issuer."""

    issuer: Text
    """The `issuer` of a listener's `auth.jwt`."""
    subject: Text
    """Value of the claim that `auth.jwt.claim` names."""


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
    """Names of the listeners that let it in; all that ask who calls unless given."""
    models: tuple[Text, ...] | None = None
    """Models that it may ask for: names, aliases, or `provider/*`; all unless given."""
    agents: tuple[Text, ...] | None = None
    """Ids of agents that may answer it; all unless given."""
    subjects: tuple[TokenSubject, ...] = ()
    """Who it is in tokens (JWT)."""


class Jwt(Section):
    """Tokens that a listener takes, in `authorization: Bearer`. Envoy verifies them, and removes them."""

    issuer: Text
    """Their claim `iss`."""
    audiences: Annotated[tuple[Text, ...], Field(min_length=1)]
    """One of these has to be in their claim `aud`: tokens for somebody else let nobody in here."""
    jwks_url: Text | None = None
    """Where Envoy gets the issuer's keys, anew every five minutes."""
    jwks_file: FilePath | None = None
    """File with the issuer's keys, in place of `jwks_url`; Envoy reads it when the listener begins."""
    claim: Annotated[Text, Default("`sub`")] = "sub"
    """Claim that tells the caller; it has to be in `callers[].subjects`."""


class Auth(Section):
    """What clients of a listener must show."""

    api_keys: Annotated[bool | None, Default("true, unless clients show something else")] = None
    """Whether a key of one of `callers` is needed, in `authorization: Bearer`, `x-api-key` or `api-key`. Envoy compares it, and
    removes it before anything else sees the request."""
    client_certificates: bool = False
    """Whether the certificate of the connection has to be that of one of `callers`; needs `tls.client_ca`."""
    jwt: Jwt | None = None
    """Whether a token is needed, and whose."""

    @property
    def shows_keys(self) -> bool:
        """Whether clients show a key."""
        return not (self.client_certificates or self.jwt) if self.api_keys is None else self.api_keys
