"""Attributes of ext_proc's spans of decisions, attempts and resumed streams.

Names follow OpenTelemetry's conventions for generative AI and OpenInference; `plano.*` is ours. No bodies, no credentials.
https://github.com/open-telemetry/semantic-conventions-genai
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from ext_proc.attempt.record import BEGUN, COMPLETED, AttemptRecord
from ext_proc.continuation.transaction import Resumption
from ext_proc.decide.request import Record
from ext_proc.signals.report import Report
from ext_proc.tracing.span import Event, Span, Value

_MOST_EVENTS: Final = 64
"""Of the last signals."""

KIND: Final = "openinference.span.kind"

_OPERATIONS: Final = {
    "chat_completions": "chat",
    "messages": "chat",
    "responses": "chat",
    "converse": "chat",
    "embeddings": "embeddings",
    "completions": "text_completion",
}

_PROVIDERS: Final = {
    "amazon_bedrock": "aws.bedrock",
    "azure_openai": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshotai": "moonshot_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""Provider names -> those of the conventions."""


def describe_decision(span: Span, record: Record) -> None:
    """Add the decision and its reason."""
    span.attributes.update(
        _known(
            {
                KIND: "DECISION",
                "plano.listener": record.listener,
                "plano.caller": record.caller,
                "plano.api": record.api,
                "plano.agent": record.agent,
                "plano.model": record.model,
                "plano.rung": record.rung,
                "plano.reason": record.reason,
                "plano.preference": record.route,
                "plano.refused_model": record.refused_model,
                "plano.request_id": record.request_id,
                "plano.status": record.status,
                "gen_ai.agent.name": record.agent,
            }
        )
    )
    if record.decision_seconds is not None:
        span.attributes["plano.decision_ms"] = round(record.decision_seconds * 1000, 3)
    if record.error is not None:
        span.error = record.error.code or "error"


def describe_attempt(span: Span, record: AttemptRecord) -> None:
    """Add the request to a model, and its answer."""
    operation = _OPERATIONS.get(record.client_api, record.client_api)
    span.name = f"{operation} {record.upstream_model or record.model}".strip()
    usage = record.usage
    span.attributes.update(
        _known(
            {
                KIND: "EMBEDDING" if operation == "embeddings" else "LLM",
                "gen_ai.operation.name": operation,
                "gen_ai.provider.name": _PROVIDERS.get(record.provider, record.provider),
                "gen_ai.request.model": record.upstream_model,
                "gen_ai.usage.input_tokens": usage.input_tokens,
                "gen_ai.usage.output_tokens": usage.output_tokens,
                "gen_ai.usage.cache_read.input_tokens": usage.cached_input_tokens,
                "gen_ai.usage.cache_write.input_tokens": usage.cache_write_tokens,
                "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
                "http.response.status_code": record.status,
                "plano.model": record.model,
                "plano.attempt": record.number,
                "plano.outcome": record.outcome,
                "plano.client_api": record.client_api,
                "plano.upstream_api": record.api if record.api != record.client_api else "",
                "plano.failover_from": record.failed_over_from,
                "plano.failover_reason": record.failed_over_for,
                "plano.request_id": record.request_id,
            }
        )
    )
    if record.first_token_seconds is not None:
        span.attributes["gen_ai.response.time_to_first_chunk"] = round(record.first_token_seconds, 6)
    if record.outcome not in (COMPLETED, BEGUN):
        span.error = record.outcome


def describe_stream(span: Span, resumptions: Sequence[Resumption], request_id: str) -> None:
    """Add the models that resumed a stream."""
    span.attributes.update(_known({KIND: "CHAIN", "plano.request_id": request_id, "plano.resumptions": len(resumptions)}))
    for resumption in resumptions:
        told: dict[str, Value] = {
            "plano.from_model": resumption.from_model,
            "plano.to_model": resumption.to_model,
            "plano.method": resumption.method,
            "plano.outcome": resumption.outcome,
        }
        span.events.append(Event("plano.stream_resumed", told, time.time_ns()))


def describe_signals(span: Span, report: Report, *, captures_content: bool) -> None:
    """Add the signals of a conversation, one event each; text only if content capture is enabled."""
    span.attributes.update(
        {
            "signals.quality": report.quality,
            "signals.quality_score": report.score,
            "signals.turn_count": report.turns,
            "signals.efficiency_score": round(report.efficiency, 3),
            "signals.concerning": report.is_concerning,
        }
    )
    for category, count in report.counts.items():
        span.attributes[f"signals.{category}.count"] = count
        span.attributes[f"signals.{category}.severity"] = report.severity(category)
    for signal in report.signals[-_MOST_EVENTS:]:
        told: dict[str, Value] = {
            "signal.type": signal.type,
            "signal.message_index": signal.row,
            "signal.confidence": signal.confidence,
        }
        metadata = signal.metadata
        if captures_content:
            told["signal.snippet"] = signal.snippet
        elif not signal.is_of_phrase:
            metadata = {name: value for name, value in metadata.items() if name != "matched"}
        told["signal.metadata"] = orjson.dumps(dict(metadata)).decode()
        span.events.append(Event(f"signal.{signal.type}", told, span.ended))


def _known(attributes: Mapping[str, Value]) -> Mapping[str, Value]:
    """Omit unknown values: empty names, and counts of 0."""
    return {name: value for name, value in attributes.items() if value}
