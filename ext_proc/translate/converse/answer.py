"""Metadata of Converse answers: stop reason, model and usage."""

from typing import Any, Final

from ext_proc.apis.converse.usage import from_converse
from ext_proc.apis.messages.usage import to_messages
from ext_proc.apis.provider_errors import malformed_answer
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import UpstreamError
from ext_proc.translate.json_fields import as_object, objects
from ext_proc.translate.translation import Exchange

_STOPS: Final = {"guardrail_intervened": "refusal", "content_filtered": "refusal"}
_TIERS: Final = {"default": "standard", "priority": "priority", "flex": "standard"}


def stop_reason(reason: object) -> str:
    """Return the stop reason in Anthropic's terms, most of which are Converse's."""
    return _STOPS.get(reason, reason) if isinstance(reason, str) else "end_turn"


def stop_sequence(fields: object) -> str | None:
    """Return the stop sequence that was met, from additionalModelResponseFields."""
    met = fields.get("stop_sequence") if isinstance(fields, dict) else None
    return met if isinstance(met, str) else None


def content_of(body: JsonObject) -> list[tuple[JsonObject, str]]:
    """Return the content blocks of a whole answer, each with its path.

    Raises:
        UpstreamError: Bedrock could not parse the model's output.
    """
    malformed = malformed_answer(body.get("stopReason"))
    if malformed is not None:
        raise UpstreamError(malformed.message, code=malformed.code)
    message = as_object(as_object(body.get("output"), "output").get("message"), "output.message")
    return list(objects(message.get("content"), "output.message.content"))


def answered_by(exchange: Exchange, trace: object) -> str:
    """Return the model that answered: the one chosen by a prompt router, or the requested one."""
    router: Any = trace.get("promptRouter") if isinstance(trace, dict) else None
    chosen = router.get("invokedModelId") if isinstance(router, dict) else None
    return chosen if isinstance(chosen, str) else exchange.upstream_model


def extra_fields(exchange: Exchange, holder: JsonObject) -> JsonObject:
    """Return the requested fields that only Bedrock has, to add to those of the client's API."""
    out: JsonObject = {}
    if holder.get("trace") is not None:
        out["trace"] = holder["trace"]
    if "additionalModelResponseFieldPaths" in exchange.request and holder.get("additionalModelResponseFields") is not None:
        out["additionalModelResponseFields"] = holder["additionalModelResponseFields"]
    return out


def tier_of(holder: JsonObject) -> str | None:
    """Return the tier that served an answer, by Bedrock's name."""
    tier = holder.get("serviceTier")
    kind = tier.get("type") if isinstance(tier, dict) else None
    return kind if isinstance(kind, str) else None


def message_usage(counts: object, tier: str | None) -> JsonObject:
    """Return the usage of a message, with cache writes by lifetime, and the tier."""
    written = to_messages(from_converse(counts))
    details = counts.get("cacheDetails") if isinstance(counts, dict) else None
    if isinstance(details, list) and details:
        by_ttl = {str(item.get("ttl")): item.get("inputTokens") for item in details if isinstance(item, dict)}
        written["cache_creation"] = {
            "ephemeral_5m_input_tokens": by_ttl.get("5m", 0),
            "ephemeral_1h_input_tokens": by_ttl.get("1h", 0),
        }
    if tier in _TIERS:
        written["service_tier"] = _TIERS[tier]
    return written
