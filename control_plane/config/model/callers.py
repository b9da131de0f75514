"""Callers: the keys that identify them, and what they may use."""

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
    """A caller of listeners that require a key."""

    name: Text
    """Name in logs and metrics, and in the header `x-plano-caller` that agents receive."""
    keys: tuple[SecretText, ...] = ()
    """All of these are accepted: to rotate a key, add the new one, then remove the old one. Write `$NAME`, not the key."""
    certificates: tuple[Text, ...] = ()
    """Names in its certificates: a URI (`spiffe://example.com/billing`), else a DNS name, else the subject
    (`CN=billing,O=Example`). For several names of one kind, all of them, separated by commas."""
    listeners: tuple[Text, ...] | None = None
    """Names of the listeners that let it in; all that ask who calls unless given."""
    models: tuple[Text, ...] | None = None
    """Models that it may use: names, aliases, or `provider/*`; by default all."""
    agents: tuple[Text, ...] | None = None
    """Ids of agents that it may use; by default all."""
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
    """Authentication of a listener's clients."""

    api_keys: Annotated[bool | None, Default("true, unless `client_certificates` is set")] = None
    """Whether a key of one of `callers` is required, in `authorization: Bearer`, `x-api-key` or `api-key`. Envoy checks it, and
    removes it before any other filter sees the request."""
    client_certificates: bool = False
    """Whether clients must present a certificate of one of `callers`; needs `tls.client_ca`."""
    jwt: Jwt | None = None
    """Whether a token is needed, and whose."""

    @property
    def shows_keys(self) -> bool:
        """Whether clients authenticate by key."""
        return not (self.client_certificates or self.jwt) if self.api_keys is None else self.api_keys
