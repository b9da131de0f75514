"""Stored sessions: read and written by the requests of a session."""

from dataclasses import dataclass

from ext_proc.decide.model_choice import ModelChoice
from ext_proc.decide.session_request import SessionRequest
from ext_proc.routing.affinity.sessions import Binding, decode_binding
from ext_proc.routing.models.ranking import rank


@dataclass(frozen=True, slots=True)
class StoredSession:
    """What is remembered of a session whose model is there still, and serves this request."""

    binding: Binding
    choice: ModelChoice
    """The choice of its model."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is kept under a session's name."""

    stored: StoredSession | None
    """None if there is nothing, or nothing that is of use."""
    is_blank: bool
    """Whether there is nothing."""


async def recall(current: SessionRequest) -> Recalled:
    """Read what is kept of the session."""
    stored = await current.services.sessions.read(current.session.key)
    return Recalled(_read(current, stored) if stored is not None else None, is_blank=stored is None)


async def keep(current: SessionRequest, binding: Binding) -> None:
    """Remember something of the session, in place of what was."""
    await current.services.sessions.write(
        current.session.key, binding.encode(), ttl_seconds=current.ttl_seconds, max_entries=current.affinity.max_entries
    )


async def claim(current: SessionRequest, binding: Binding) -> StoredSession | None:
    """Remember something of a new session, and return what is known of it then: another first turn may have been faster."""
    stored = await current.services.sessions.claim(
        current.session.key, binding.encode(), ttl_seconds=current.ttl_seconds, max_entries=current.affinity.max_entries
    )
    return _read(current, stored)


def _read(current: SessionRequest, stored: bytes) -> StoredSession | None:
    """Read a binding, and choose its model; the others of its preference may still stand in for it."""
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
