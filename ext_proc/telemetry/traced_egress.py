"""The Egress port with tracing: a span for each call to a filter or a routing model, with its context in the request."""

from collections.abc import Mapping

from ext_proc.plan.plan import Plan
from ext_proc.ports import Egress, EgressResponse
from ext_proc.telemetry.tracer import Tracer
from ext_proc.tracing.span import Attributes, Kind
from protos.contract.headers import TRACEPARENT_HEADER


class TracedEgress:
    """Forwards calls, and traces those whose request is traced."""

    def __init__(self, egress: Egress, plan: Plan, tracer: Tracer) -> None:
        self._egress = egress
        self._tracer = tracer
        self._filters: Mapping[str, tuple[str, Attributes]] = {
            item.route: (f"filter {item.id}", _filter(item.id, item.type)) for item in plan.filters.values()
        }
        self._models: dict[str, tuple[str, Attributes]] = {
            chooser.route: (f"chat {chooser.upstream_model}", _model("LLM", "chat", chooser.upstream_model))
            for chooser in (plan.orchestrator, plan.routing_model)
            if chooser is not None
        }
        if plan.embedding is not None:
            name = plan.embedding.upstream_model
            self._models[plan.embedding.route] = f"embeddings {name}", _model("EMBEDDING", "embeddings", name)

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        """See `ports.Egress.post`."""
        name, attributes = self._filters.get(route) or self._models.get(route) or (f"call {route}", {})
        span = self._tracer.begin(name, headers.get(TRACEPARENT_HEADER), Kind.CLIENT)
        if span is None:
            return await self._egress.post(route, path, headers=headers, body=body, timeout_seconds=timeout_seconds)
        span.attributes.update(attributes)
        span.error = "cancelled"
        try:
            carried = {**headers, TRACEPARENT_HEADER: span.context.traceparent}
            response = await self._egress.post(route, path, headers=carried, body=body, timeout_seconds=timeout_seconds)
            span.attributes["http.response.status_code"] = response.status
            span.error = _error(response)
        finally:
            self._tracer.end(span, headers)
        return response


def _filter(filter_id: str, kind: str) -> Attributes:
    return {"openinference.span.kind": "GUARDRAIL", "plano.filter": filter_id, "plano.filter.type": kind}


def _model(kind: str, operation: str, upstream_model: str) -> Attributes:
    return {"openinference.span.kind": kind, "gen_ai.operation.name": operation, "gen_ai.request.model": upstream_model}


def _error(response: EgressResponse) -> str:
    if response.timed_out:
        return "timeout"
    if response.unreachable:
        return "unreachable"
    return "" if response.status < 400 else str(response.status)
