"""One HTTP transaction: events in, replies out. Checks the request, runs the decision, and renders errors.

Envoy's order is RequestHeaders, then RequestBody unless the headers end the stream, then perhaps Trailers; or one RequestBody
that includes the headers. Knows no transport.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import unquote
from uuid import uuid4

from ext_proc.apis.api import Api
from ext_proc.apis.errors import Shape, render_error
from ext_proc.apis.registry import (
    AGENT_APIS,
    DECISION_APIS,
    MODEL_APIS,
    MODELS_PREFIX,
    check_method,
    error_shape,
    find_api,
    split_query,
    usual_path,
)
from ext_proc.codec.content_encoding import IDENTITY, inflate_request
from ext_proc.codec.json_body import parse_object, write_json
from ext_proc.decide.agent_flow import decide_agent
from ext_proc.decide.decision_flow import answer_decision
from ext_proc.decide.large_body import let_others_run, read_object
from ext_proc.decide.model_flow import decide_model
from ext_proc.decide.passthrough_flow import decide_passthrough
from ext_proc.decide.request import Record, Request, Services
from ext_proc.decide.routing_input import CONVERSATIONS
from ext_proc.decide.trace_context import is_valid_traceparent, new_traceparent
from ext_proc.errors import BodyTooLarge, GatewayError, InternalError, NotReady, UnsupportedEncoding
from ext_proc.events import Continue, Event, Reply, RequestBody, RequestHeaders, Respond, Trailers
from ext_proc.filters.filter_answer import FilterAnswered
from ext_proc.plan.listeners import Listener, ListenerKind
from ext_proc.plan.model_list import in_messages_shape, render_model
from ext_proc.plan.plan import Plan
from ext_proc.routing.callers import Caller
from ext_proc.routing.models.resolve import resolve_model, unknown_model
from ext_proc.signals.rows import Row, read_rows
from protos.contract.headers import CALLER_HEADER, DECISION_HEADER, REQUEST_ID_HEADER, TRACEPARENT_HEADER, TRACESTATE_HEADER
from protos.contract.passthrough import PASSTHROUGH, Endpoint, find_endpoint

_GO_ON: Final = Continue()
_MESSAGES_VERSION: Final = "anthropic-version"
"""Header that identifies clients of Anthropic's API at paths that both APIs use."""
_DEFLATE: Final = "deflate"
_ENCODINGS: Final = frozenset({*IDENTITY, _DEFLATE})
"""Content encodings of bodies as Envoy shows them: it has undone the others."""
_FORM: Final = "multipart/form-data"
_ACCEPTED: Final = "gzip, br, zstd, deflate"
_TABLES: Final = {ListenerKind.AGENT: AGENT_APIS, ListenerKind.MODEL: MODEL_APIS | DECISION_APIS}
_MODELS_PREFLIGHT: Final = Respond(
    status=204,
    headers={
        "allow": "GET, OPTIONS",
        "access-control-allow-origin": "*",
        "access-control-allow-headers": "Authorization, Content-Type",
        "access-control-allow-methods": "GET, POST, OPTIONS",
    },
    details="plano_models",
)


class Transaction:
    """Handles the events of one request on one listener, under the configuration that was current when it began."""

    def __init__(self, listener: str, services: Services | None, *, traceparent: str = "") -> None:
        """`traceparent` is the context of Envoy's span, if the request is traced; Envoy propagates it by itself."""
        self.record = Record(listener=listener)
        self.headers: Mapping[str, str] = {}
        """The known request headers, with a valid traceparent."""
        self.request: Request | None = None
        """The complete request before filters, once it has arrived."""
        self.is_decided = False
        """Whether the last reply completed the request."""
        self._traceparent = traceparent
        self._services = services
        self._listener = services.plan.listeners.get(listener) if services else None
        self._shape: Shape = "openai"
        self._asks_only = False
        """Whether it is a request of the decision API."""
        self._head: tuple[Api, str, Mapping[str, str]] | None = None
        self._is_deflated = False
        self._rest = self._form = ""
        self._may_be_empty = False
        """Whether the request needs no body."""

    async def handle(self, event: Event) -> Reply:
        """Answer an event. GatewayErrors become responses; any other exception is a bug."""
        try:
            match event:
                case RequestHeaders():
                    reply = self._begin(event)
                    if event.ends_stream and not isinstance(reply, Respond):
                        reply = await self._decide(b"")
                case RequestBody(head=RequestHeaders() as head):
                    reply = await self._decide_whole(head, event.body)
                case RequestBody():
                    reply = await self._decide(event.body)
                case Trailers():
                    return _GO_ON
        except FilterAnswered as answered:
            reply = self._answered(answered)
        except GatewayError as error:
            return self.refuse(error)
        if isinstance(reply, Respond):
            self.record.status = reply.status
        self.is_decided = isinstance(reply, Respond) or isinstance(event, RequestBody) or self.request is not None
        return reply

    def refuse(self, error: GatewayError, path: str = "") -> Respond:
        """Render an error in the client's API, which a `path` tells if nothing else has, and end the request with it."""
        if path:
            self._shape = error_shape(path)
        self.record.error = error
        self.record.status = error.status
        self.is_decided = True
        return render_error(error, self._shape)

    def _answered(self, answered: FilterAnswered) -> Respond:
        """Answer with what a filter says."""
        request, name, now = self.request, uuid4().hex, int(time.time())
        assert request is not None, "filters see complete requests"
        self.record.reason = f"filter {answered.filter_id}"
        try:
            if request.value.get("stream") is True:
                kind, body = "text/event-stream", answered.events(request.api, name, now)
            else:
                kind, body = "application/json", write_json(answered.whole(request.api, name, now))
        except GatewayError as error:
            return self.refuse(error)
        headers = {
            "content-type": kind,
            "content-length": str(len(body)),
            DECISION_HEADER: f"answered_by_filter; {answered.filter_id}",
        }
        return Respond(status=200, headers=headers, body=body, details="plano_filter_answer")

    def rows(self) -> tuple[Row, ...]:
        """Return the conversation for signals; empty if it is not forwarded, or signals are disabled."""
        wanted = self._services is not None and self._services.plan.reads_signals and not self.record.status
        if self.request is None or not wanted or self.request.api not in CONVERSATIONS:
            return ()
        return read_rows(self.request.api, self.request.value)

    def _begin(self, event: RequestHeaders) -> Reply:
        headers = event.headers
        path, query = split_query(headers.get(":path", ""))
        self._shape = error_shape(path)
        self.record.request_id = _loggable(headers.get(REQUEST_ID_HEADER, ""))
        services, listener = self._bound()
        self.record.caller = _known(headers.get(CALLER_HEADER, ""), services.plan.callers)
        if headers.get(":method") == "GET" and (model := path.removeprefix(MODELS_PREFIX)) not in ("", path):
            return self._answer_model(model, headers, services.plan)
        table = _TABLES[listener.kind]
        # A model's path is the provider's; an agent is called at the client's path.
        if listener.kind is ListenerKind.MODEL and path not in table:
            meant = usual_path(path)
            if meant in table or find_endpoint(meant):
                path, self._shape = meant, error_shape(meant)
        api = self._find_api(table, headers, path)
        self._asks_only = path in DECISION_APIS
        self.record.api = api
        if api is Api.MODELS:
            return _answer_models(services.plan, headers)
        encoding = headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise UnsupportedEncoding(
                f"Request bodies may be compressed by {_ACCEPTED}; not in another way.", headers={"accept-encoding": _ACCEPTED}
            )
        if event.ends_stream and not self._may_be_empty:
            parse_object(b"")
        self.headers, reply = self._trace(headers)
        self._head = api, query, self.headers
        self._is_deflated = encoding == _DEFLATE
        return reply

    def _find_api(self, table: dict[str, Api], headers: Mapping[str, str], path: str) -> Api:
        method = headers.get(":method", "")
        passed = find_endpoint(path) if table is _TABLES[ListenerKind.MODEL] and path not in table else None
        if passed is None:
            return find_api(table, method, path)
        endpoint, self._rest = passed
        check_method(method, endpoint.methods, path)
        content_type = headers.get("content-type", "")
        if endpoint.takes_form and content_type.lower().lstrip().startswith(_FORM):
            self._form = content_type
        self._may_be_empty = method != "POST" or not _posts_a_body(endpoint)
        return Api(endpoint.api)

    def _answer_model(self, name: str, head: Mapping[str, str], plan: Plan) -> Respond:
        """Answer whether a model of this name exists."""
        self._shape, self.record.api = "anthropic" if _MESSAGES_VERSION in head else "openai", Api.MODELS
        named = unquote(name)
        resolved = resolve_model(plan.models, named)
        caller = plan.callers.get(head.get(CALLER_HEADER, ""))
        if caller is not None and not caller.may_ask(resolved.name, resolved.model.name, named):
            raise unknown_model(named)
        return _models_reply(render_model(named, resolved.model.provider), head)

    async def _decide(self, body: bytes) -> Reply:
        if self._head is None or self.is_decided:
            raise InternalError("The gateway failed to handle the request.", detail="a body that was not expected")
        services, listener = self._bound()
        api, query, headers = self._head
        if self._is_deflated:
            body = inflate_request(body, max_bytes=services.plan.max_request_bytes)
        elif len(body) > services.plan.max_request_bytes:
            # Envoy's buffers do not bound the output of its decompressors.
            raise BodyTooLarge("The request body is too large.")
        request = self.request = Request(
            listener=listener,
            api=api,
            query=query,
            headers=headers,
            body=body,
            value={} if self._form or (self._may_be_empty and not body) else await read_object(body),
            rest=self._rest,
            form=self._form,
            was_compressed=self._is_deflated,
        )
        await let_others_run(body)
        if listener.kind is ListenerKind.AGENT:
            return await decide_agent(request, services, self.record)
        if api in PASSTHROUGH:
            return await decide_passthrough(request, services, self.record)
        decide = answer_decision if self._asks_only else decide_model
        return await decide(request, services, self.record)

    async def _decide_whole(self, head: RequestHeaders, body: bytes) -> Reply:
        begun = self._begin(head)
        if isinstance(begun, Respond):
            return begun
        decided = await self._decide(body)
        if isinstance(decided, Respond):
            return decided
        return replace(
            decided,
            set_headers={**begun.set_headers, **decided.set_headers},
            remove_headers=(*begun.remove_headers, *decided.remove_headers),
        )

    def _trace(self, headers: Mapping[str, str]) -> tuple[Mapping[str, str], Continue]:
        if self._traceparent:
            return {**headers, TRACEPARENT_HEADER: self._traceparent}, _GO_ON
        return _trace(headers)

    def _bound(self) -> tuple[Services, Listener]:
        if self._services is None or self._listener is None:
            raise NotReady("The gateway has no configuration for this listener yet.", headers={"retry-after": "1"})
        return self._services, self._listener


def _posts_a_body(endpoint: Endpoint) -> bool:
    return not endpoint.rest.endswith("/cancel")


def _known(caller: str, callers: Mapping[str, Caller]) -> str:
    """Return a caller's name for logs and metrics; none that is not configured."""
    return caller if caller in callers else ""


def _loggable(request_id: str) -> str:
    return request_id if request_id.isascii() and len(request_id) <= 128 else ""


def _answer_models(plan: Plan, head: Mapping[str, str]) -> Respond:
    if head[":method"] == "OPTIONS":
        return _MODELS_PREFLIGHT
    return _models_reply(plan.models_bodies.get(head.get(CALLER_HEADER, ""), plan.models_body), head)


def _models_reply(body: bytes, head: Mapping[str, str]) -> Respond:
    if _MESSAGES_VERSION in head:
        body = in_messages_shape(body)
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    return Respond(status=200, headers=headers, body=body, details="plano_models")


def _trace(headers: Mapping[str, str]) -> tuple[Mapping[str, str], Continue]:
    """Return the headers with a valid traceparent, and the mutation for Envoy to forward the same one."""
    if is_valid_traceparent(headers.get(TRACEPARENT_HEADER, "")):
        return headers, _GO_ON
    fresh = {TRACEPARENT_HEADER: new_traceparent()}
    # The tracestate belongs to the invalid traceparent.
    kept = {name: value for name, value in headers.items() if name != TRACESTATE_HEADER}
    return kept | fresh, Continue(set_headers=fresh, remove_headers=(TRACESTATE_HEADER,))
