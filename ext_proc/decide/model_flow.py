"""Model listener: resolves the model, runs the filters, and sets the route to the provider."""

from collections.abc import Mapping
from urllib.parse import quote

import orjson

from ext_proc.apis.api import Api
from ext_proc.apis.prompt_size import estimate_size
from ext_proc.apis.registry import PATHS
from ext_proc.codec.json_body import JsonObject, parse_object
from ext_proc.codec.model_edit import remove_member, replace_model
from ext_proc.decide.access import check_model
from ext_proc.decide.cache_marking import mark_prompt
from ext_proc.decide.request import Record, Request, Services, go_on
from ext_proc.decide.routing_input import has_preferences, read_routing_input, requested_model
from ext_proc.decide.session_choice import choose_in_session
from ext_proc.errors import FilterFailed, MalformedBody, UnsupportedFeature
from ext_proc.events import Continue, Reply, Respond
from ext_proc.filters.chain import run_chain
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.routing.models.body_preferences import FIELD
from ext_proc.routing.models.model import ModelRoute
from ext_proc.routing.models.resolve import ResolvedModel
from ext_proc.translate.history import fit_history
from ext_proc.translate.token_estimate import estimate_tokens
from protos.contract.headers import ESTIMATE_HEADER, MODEL_HEADER, ROUTE_HEADER
from protos.contract.metadata import (
    EXPECTS_EVENTS,
    EXPECTS_JSON,
    METADATA_DECISION,
    METADATA_ENTRY,
    METADATA_EXPECTS,
    METADATA_HAS_MODEL,
    METADATA_MODEL,
    METADATA_ORDER,
    METADATA_QUERY,
    METADATA_ROUTE,
    METADATA_SESSION,
    METADATA_STREAM,
    METADATA_TOKENS,
    METADATA_UPSTREAM_MODEL,
    METADATA_WATCH,
    WATCH_GATE,
    WATCH_HEAD,
    join_names,
)


async def decide_model(request: Request, services: Services, record: Record) -> Reply:
    """Resolve the model, which filters cannot change afterwards; run the listener's input filters; apply preferences.

    Token counts that the provider does not support are estimated here, without filters.

    Raises:
        GatewayError: the request ends here.
    """
    if has_preferences(request, services):
        return await _decide_by_preference(request, services, record)
    resolved = requested_model(request, services)
    check_model(resolved, request, services)
    record.model, record.reason = resolved.model.name, resolved.reason
    if request.api is Api.COUNT_TOKENS and request.api not in resolved.model.routes:
        return _answer_estimate(resolved, request)
    route = route_of(resolved, request)
    body, value = await run_filters(request, services)
    marked = mark_prompt(body, resolved, request, services)
    noted = {METADATA_DECISION: resolved.reason, **marked.metadata, **_counted(request, value, services)}
    route = _for_tools(route, resolved, request, value, services)
    body = marked.body if route.by_attempt else _fit_history(marked.body, resolved, request, services)
    return _forward(request, resolved, route, body, value, noted)


async def _decide_by_preference(request: Request, services: Services, record: Record) -> Continue:
    routing_input = read_routing_input(request, services)
    if routing_input.requested is not None:
        record.model, record.reason = routing_input.requested.model.name, routing_input.requested.reason
    body, value = await run_filters(request, services)
    decided = await choose_in_session(routing_input, request, value, services=services, record=record)
    ranked = decided.choice.ranked
    resolved = ranked[0] if ranked else requested_model(request, services)
    check_model(resolved, request, services)
    record.model = resolved.model.name
    route = route_of(resolved, request)
    marked = mark_prompt(body, resolved, request, services)
    noted = {METADATA_DECISION: decided.choice.header, **decided.metadata, **marked.metadata}
    noted |= _counted(request, value, services)
    if len(ranked) > 1:
        noted[METADATA_ORDER] = join_names(model.name for model in ranked)
    route = _for_tools(route, resolved, request, value, services)
    body = marked.body if route.by_attempt else _fit_history(marked.body, resolved, request, services)
    return _forward(request, resolved, route, body, value, noted)


def _forward(
    request: Request, resolved: ResolvedModel, route: ModelRoute, body: bytes, value: JsonObject, noted: Mapping[str, str]
) -> Continue:
    """Send the request to its provider, or to the attempt stage; `noted` becomes metadata."""
    route_name = _route_name(request, route, value)
    headers = {ROUTE_HEADER: route_name}
    for_attempts: dict[str, str] = {}
    if route.by_attempt:
        # Each attempt builds its own request from this body.
        for_attempts = _for_attempts(resolved.upstream_model, request.query, value)
        if value.get("stream") is True and route_name != route.continued and METADATA_SESSION not in noted:
            for_attempts[METADATA_WATCH] = WATCH_GATE if request.listener.gates_streams else WATCH_HEAD
    else:
        headers[":path"] = _upstream_path(route, resolved.upstream_model, request.query)
        for_attempts[METADATA_EXPECTS] = EXPECTS_EVENTS if value.get("stream") is True else EXPECTS_JSON
        if value.get("model") != resolved.upstream_model:
            body = replace_model(body, resolved.upstream_model, has_model="model" in value)
    named = {METADATA_MODEL: resolved.name, METADATA_ENTRY: resolved.model.name}
    metadata = {METADATA_ROUTE: route_name, **named, **noted, **for_attempts}
    return go_on(request, body, headers=headers, metadata=metadata)


def _counted(request: Request, value: JsonObject, services: Services) -> dict[str, str]:
    """Estimate a request's tokens for Envoy's rate limits; 0 for count_tokens."""
    if not services.plan.counts_tokens or request.api is Api.COUNT_TOKENS:
        return {}
    return {METADATA_TOKENS: str(estimate_size(value))}


def _answer_estimate(resolved: ResolvedModel, request: Request) -> Respond:
    body = orjson.dumps({"input_tokens": estimate_tokens(request.value)})
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        MODEL_HEADER: resolved.name,
        ESTIMATE_HEADER: "estimate",
    }
    return Respond(status=200, headers=headers, body=body, details="plano_token_estimate")


def route_of(resolved: ResolvedModel, request: Request) -> ModelRoute:
    """Return how a request reaches a model's provider.

    Raises:
        UnsupportedFeature: that does not serve the API.
    """
    route = resolved.model.routes.get(request.api)
    if route is None:
        spoken = ", ".join(PATHS[api] for api in PATHS if api in resolved.model.routes)
        raise UnsupportedFeature(
            f"The provider of model `{resolved.name}` does not serve {PATHS[request.api]}. It serves: {spoken}.", param="model"
        )
    return route


def _fit_history(body: bytes, resolved: ResolvedModel, request: Request, services: Services) -> bytes:
    """Remove content that only another model can read; the attempt stage does so itself."""
    target = services.plan.targets.get((resolved.model.name, request.api))
    return fit_history(body, request.api, target.quirks.of(resolved.upstream_model)) if target is not None else body


def _for_tools(
    route: ModelRoute, resolved: ResolvedModel, request: Request, value: JsonObject, services: Services
) -> ModelRoute:
    """Return the route of the attempt stage if the model accepts the offered tools only in another API."""
    if not route.tools_route or not value.get("tools"):
        return route
    target = services.plan.targets.get((resolved.model.name, request.api))
    if target is None or not target.quirks.of(resolved.upstream_model).tools_api:
        return route
    return ModelRoute(route=route.tools_route, path="", by_attempt=True)


def _route_name(request: Request, route: ModelRoute, value: JsonObject) -> str:
    """Choose among the routes of a chain by the body after filters, which may have changed it."""
    if value.get("stream") is not True:
        return route.route
    # With several choices, the end of one does not tell whether the others are complete.
    if route.continued and request.listener.continues_streams and value.get("n", 1) in (1, None):
        return route.continued
    return route.stream_route or route.route


async def run_filters(request: Request, services: Services) -> tuple[bytes, JsonObject]:
    """Run the listener's filters; return the body without preferences, and the same parsed.

    Raises:
        GatewayError: a filter rejects the request, or fails.
    """
    own, value = _without_preferences(request)
    if not request.listener.input_filters:
        return own, value
    filtered = FilteredRequest(path=PATHS[request.api], headers=request.headers, body=own)
    body = await run_chain(request.listener.input_filters, filtered, egress=services.egress, sessions=services.mcp_sessions)
    return body, value if body is own else _parse_filtered(body)


def _without_preferences(request: Request) -> tuple[bytes, JsonObject]:
    """Remove the field for the gateway, which filters and providers do not know."""
    if FIELD not in request.value:
        return request.body, request.value
    value = {name: member for name, member in request.value.items() if name != FIELD}
    return remove_member(request.body, FIELD), value


def _for_attempts(upstream_model: str, query: str, value: JsonObject) -> dict[str, str]:
    for_attempts = {METADATA_UPSTREAM_MODEL: upstream_model, METADATA_HAS_MODEL: "true" if "model" in value else "false"}
    for_attempts |= {METADATA_STREAM: "true"} if value.get("stream") is True else {}
    return for_attempts | {METADATA_QUERY: query} if query else for_attempts


def _parse_filtered(body: bytes) -> JsonObject:
    try:
        return parse_object(body)
    except MalformedBody as error:
        raise FilterFailed("An input filter returned an invalid request.", detail=error.public_message) from None


def _upstream_path(route: ModelRoute, upstream_model: str, query: str) -> str:
    path = route.path.replace("{model}", quote(upstream_model, safe="")) if "{" in route.path else route.path
    if query and "?" in path:
        # The provider's path has a query of its own (Azure's api-version).
        raise UnsupportedFeature("The provider of this model takes no query parameters.", param="query")
    return path + query
