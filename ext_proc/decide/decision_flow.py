"""The decision API, `POST /routing/v1/...`: returns which model would be chosen for a request."""

import orjson

from ext_proc.decide.model_choice import ModelChoice
from ext_proc.decide.model_flow import run_filters
from ext_proc.decide.request import Record, Request, Services
from ext_proc.decide.routing_input import RoutingInput, effective_preferences, requested_model
from ext_proc.decide.session_choice import choose_in_session
from ext_proc.errors import UnknownModel
from ext_proc.events import Respond
from ext_proc.routing.models.resolve import ResolvedModel
from protos.contract.headers import DECISION_HEADER, TRACEPARENT_HEADER


async def answer_decision(request: Request, services: Services, record: Record) -> Respond:
    """Decide as for a normal request, including filters; the requested model need not be configured.

    Raises:
        GatewayError: the request ends here.
    """
    routing_input = RoutingInput(effective_preferences(request, services), _requested(request, services))
    _, value = await run_filters(request, services)
    decided = await choose_in_session(routing_input, request, value, services=services, record=record)
    choice = decided.choice
    models = _models(choice, request, services)
    if choice.ranked:
        record.model = choice.ranked[0].model.name
    body = orjson.dumps(
        {
            "models": models,
            "route": choice.route,
            "trace_id": request.headers[TRACEPARENT_HEADER].split("-")[1],
            **({"session_id": decided.session.id} if decided.session else {}),
            "pinned": decided.is_pinned,
            "switched": decided.is_switched,
        }
    )
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        DECISION_HEADER: choice.header,
    }
    return Respond(status=200, headers=headers, body=body, details="plano_decision")


def _requested(request: Request, services: Services) -> ResolvedModel | None:
    if services.plan.models.default is None and request.value.get("model") in (None, ""):
        return None
    try:
        return requested_model(request, services)
    except UnknownModel:
        return None


def _models(choice: ModelChoice, request: Request, services: Services) -> list[str]:
    """Return the models, best first; if none is known, the one that the client named."""
    if choice.ranked:
        return [model.name for model in choice.ranked]
    wanted = request.value.get("model")
    return [wanted if isinstance(wanted, str) and wanted else requested_model(request, services).name]
