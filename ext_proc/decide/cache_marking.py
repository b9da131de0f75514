"""Cache markers in prompts: set here, or by the attempt stage, which knows the provider of an attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ext_proc.decide.request import Request, Services
from ext_proc.decide.routing_input import CONVERSATIONS
from ext_proc.routing.affinity.session_key import wants_cache
from ext_proc.routing.models.resolve import ResolvedModel
from ext_proc.translate.cache_markers import mark_for_cache
from protos.contract.metadata import METADATA_CACHE_FROM


@dataclass(frozen=True, slots=True)
class MarkedPrompt:
    """A request's body, and the settings for markers by the attempt stage."""

    body: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)


def mark_prompt(body: bytes, resolved: ResolvedModel, request: Request, services: Services) -> MarkedPrompt:
    """Mark the body after filters, if it is configured, the client has set no markers, and the provider supports them."""
    least_tokens = services.plan.cache_marks_from
    if not least_tokens or request.api not in CONVERSATIONS or not wants_cache(request.headers):
        return MarkedPrompt(body)
    if resolved.model.routes[request.api].by_attempt:
        return MarkedPrompt(body, {METADATA_CACHE_FROM: str(least_tokens)})
    target = services.plan.targets.get((resolved.model.name, request.api))
    if target is None:
        return MarkedPrompt(body)
    name = resolved.upstream_model
    return MarkedPrompt(mark_for_cache(body, request.api, model=name, quirks=target.quirks.of(name), least_tokens=least_tokens))
