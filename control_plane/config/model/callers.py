"""Callers: who may use the gateway, and what of it."""

from typing import Annotated

from pydantic import Field

from control_plane.config.model.types import SecretText, Section, Text


class Caller(Section):
    """Somebody who calls listeners that ask for a key."""

    name: Text
    """Name in logs and metrics, and in the header `x-plano-caller` that agents are sent."""
    keys: Annotated[tuple[SecretText, ...], Field(min_length=1)]
    """Any of these is accepted: to roll a key, add the new one, then remove the old one. Write `$NAME`, not the key itself."""
    listeners: tuple[Text, ...] | None = None
    """Names of the listeners that take its keys; all that ask for keys unless given."""
    models: tuple[Text, ...] | None = None
    """Models that it may ask for: names, aliases, or `provider/*`; all unless given."""
    agents: tuple[Text, ...] | None = None
    """Ids of agents that may answer it; all unless given."""


class Auth(Section):
    """What clients of a listener must show."""

    api_keys: bool = True
    """Whether a key of one of `callers` is needed, in `authorization: Bearer`, `x-api-key` or `api-key`. Envoy compares it, and
    removes it before anything else sees the request."""
