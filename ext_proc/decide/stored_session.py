"""Stored sessions: read and written by the requests of a session."""

from dataclasses import dataclass

from ext_proc.decide.model_choice import ModelChoice
from ext_proc.decide.session_request import SessionRequest
from ext_proc.routing.affinity.sessions import Binding, decode_binding
from ext_proc.routing.models.ranking import rank


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A stored session whose model still exists and can serve this request."""

    binding: Binding
    choice: ModelChoice
    """Its model."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """The entry of a session in the store."""

    stored: StoredSession | None
    """None if there is no usable session."""
    is_blank: bool
    """Whether there is no entry."""


async def recall(current: SessionRequest) -> Recalled:
    """Read the session from the store."""
    stored = await current.services.sessions.read(current.session.key)
    return Recalled(_read(current, stored) if stored is not None else None, is_blank=stored is None)


async def keep(current: SessionRequest, binding: Binding) -> None:
    """Replace the stored session."""
    await current.services.sessions.write(
        current.session.key, binding.encode(), ttl_seconds=current.ttl_seconds, max_entries=current.affinity.max_entries
    )


async def claim(current: SessionRequest, binding: Binding) -> StoredSession | None:
    """Store a new session, and return the stored one: another first request may have been faster."""
    stored = await current.services.sessions.claim(
        current.session.key, binding.encode(), ttl_seconds=current.ttl_seconds, max_entries=current.affinity.max_entries
    )
    return _read(current, stored)


def _read(current: SessionRequest, stored: bytes) -> StoredSession | None:
    """Read a binding and its model, with the other models of its preference as fallbacks."""
    binding = decode_binding(stored)
    services, preferences, api = current.services, current.routing_input.preferences, current.request.api
    anchor = current.resolve(binding.anchor_model) if binding is not None else None
    if binding is None or anchor is None or api not in anchor.model.routes:
        return None
    route = binding.route_name or None
    preference = preferences.by_name.get(binding.route_name) if preferences else None
    if preference is None or anchor.name not in {model.name for model in preference.models}:
        return StoredSession(binding, ModelChoice((anchor,), route, "pinned", ""))
    serving = [model for model in preference.models if api in model.model.routes and model.name != anchor.name]
    ranked = (anchor, *rank(serving, preference.prefer, services.measures))
    return StoredSession(binding, ModelChoice((preference.start(ranked), *ranked[1:]), route, "pinned", ""))
