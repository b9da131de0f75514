"""Model listener: requests of other APIs than conversations, which pass to the provider that serves them as they are.

The provider is the one of the `model` in the body, a JSON member or a form's field; where there is none, that of the model that
the header `x-plano-model` names; where there is no header, that of the default model.
"""

from dataclasses import replace
from typing import Final

from ext_proc.codec.form_data import find_field
from ext_proc.codec.json_body import JsonObject
from ext_proc.codec.model_edit import replace_model
from ext_proc.decide.access import caller_of, check_model
from ext_proc.decide.model_flow import route_of, run_filters
from ext_proc.decide.request import Record, Request, Services, go_on
from ext_proc.errors import Forbidden, MalformedBody, UnsupportedFeature
from ext_proc.events import Continue
from ext_proc.routing.models.resolve import ResolvedModel, resolve_model
from protos.contract.headers import MODEL_HEADER, REQUEST_ID_HEADER, ROUTE_HEADER
from protos.contract.metadata import (
    EXPECTS_EVENTS,
    EXPECTS_JSON,
    METADATA_DECISION,
    METADATA_ENTRY,
    METADATA_EXPECTS,
    METADATA_MODEL,
    METADATA_ROUTE,
    METADATA_TOKENS,
)
from protos.contract.passthrough import OF_ACCOUNTS

_FIELD: Final = "model"
_MAX_NAME_BYTES: Final = 256
_UNFILTERED: Final = OF_ACCOUNTS | {"audio"}
"""APIs that answer with text of models which output filters cannot read."""
_IN_ANY_FORM: Final = frozenset({"audio", "files", "message_batches"})
"""APIs that may answer with a recording, a text, or whatever was stored."""


async def decide_passthrough(request: Request, services: Services, record: Record) -> Continue:
    """Find the provider, and put its name of the model in the body.

    Raises:
        GatewayError: the request ends here.
    """
    if request.listener.output_filters and request.api in _UNFILTERED:
        raise UnsupportedFeature(
            "The output filters of this listener cannot see what this API answers, so it is not served here."
        )
    field = find_field(request.body, request.form, _FIELD, max_bytes=_MAX_NAME_BYTES) if request.form else None
    request = replace(request, value=_named(request, field))
    resolved = _resolve(request, services)
    _check_access(resolved, request, services)
    record.model, record.reason = resolved.model.name, resolved.reason
    route = route_of(resolved, request)
    if request.form and request.listener.input_filters:
        raise UnsupportedFeature("The input filters of this listener read JSON, and cannot see what a form has in it.")
    body = _with_model(request.body, field, resolved) if request.form else await _filtered(request, resolved, services)
    return go_on(
        request,
        body,
        headers={ROUTE_HEADER: route.route, ":path": route.path + request.rest + request.query},
        metadata={
            METADATA_ROUTE: route.route,
            METADATA_MODEL: resolved.name,
            METADATA_ENTRY: resolved.model.name,
            METADATA_DECISION: resolved.reason,
            **_expected(request),
            # Of what has no text in it nobody knows how many tokens it is.
            **({METADATA_TOKENS: "0"} if services.plan.counts_tokens else {}),
        },
    )


def _named(request: Request, field: tuple[int, int] | None) -> JsonObject:
    if field is None:
        return request.value
    start, end = field
    try:
        return {_FIELD: request.body[start:end].decode()}
    except UnicodeDecodeError:
        raise MalformedBody("The form's field `model` must be UTF-8.", param=_FIELD) from None


def _resolve(request: Request, services: Services) -> ResolvedModel:
    named = request.value.get(_FIELD) or request.headers.get(MODEL_HEADER)
    return resolve_model(services.plan.models, named, request_id=request.headers.get(REQUEST_ID_HEADER, ""))


def _check_access(resolved: ResolvedModel, request: Request, services: Services) -> None:
    check_model(resolved, request, services)
    caller = caller_of(request, services) if request.api in OF_ACCOUNTS else None
    if caller is not None and not caller.may_ask(f"{resolved.model.provider}/*"):
        message = f"A batch may name any model, so that only callers who may use `{resolved.model.provider}/*` may use this."
        raise Forbidden(message)


async def _filtered(request: Request, resolved: ResolvedModel, services: Services) -> bytes:
    if not request.body:
        return request.body
    body, value = await run_filters(request, services)
    if _FIELD not in value or value[_FIELD] == resolved.upstream_model:
        return body
    return replace_model(body, resolved.upstream_model, has_model=True)


def _with_model(body: bytes, field: tuple[int, int] | None, resolved: ResolvedModel) -> bytes:
    if field is None:
        return body
    start, end = field
    return b"".join((body[:start], resolved.upstream_model.encode(), body[end:]))


def _expected(request: Request) -> dict[str, str]:
    if request.api in _IN_ANY_FORM:
        return {}
    return {METADATA_EXPECTS: EXPECTS_EVENTS if request.value.get("stream") is True else EXPECTS_JSON}
