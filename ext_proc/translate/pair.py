"""A pair of APIs as data, and its Translation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import orjson

from ext_proc.apis.errors import error_body
from ext_proc.apis.provider_errors import parse_error
from ext_proc.apis.registry import spec_of
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody, RequestError, UnsupportedFeature
from ext_proc.translate.identifiers import fit_call_ids, fit_tool_names, restore_tool_names
from ext_proc.translate.json_fields import Uncarried
from ext_proc.translate.origins import Origins, innermost
from ext_proc.translate.quirks import LOSSLESS
from ext_proc.translate.stream import Chain, Machine, PairStream, Renamed, bad_answer
from ext_proc.translate.translation import (
    Exchange,
    StreamTranslator,
    TranslatedBody,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The functions that translate between a client's and an upstream's API."""

    client_api: str
    upstream_api: str
    request: Callable[[Exchange, str], JsonObject]
    """(exchange, upstream model) -> the upstream's body."""
    response: Callable[[Exchange, JsonObject], JsonObject]
    """(exchange, the upstream's answer) -> the client's."""
    machine: Callable[[Exchange], Machine]
    """Makes the state machine of one stream."""
    client_fields: Mapping[str, str] = field(default_factory=dict)
    """Top-level fields of the upstream's request -> the client's names, for errors in composed pairs."""
    through: str = ""
    """The API between the two of a composed pair."""


class PairTranslation:
    """The Translation of a Pair."""

    def __init__(self, pair: Pair, exchange: Exchange) -> None:
        self._pair = pair
        self._exchange = exchange
        self._names: Mapping[str, str] = {}
        """Shortened names of tools -> original names."""

    def request(self, *, upstream_model: str) -> JsonObject:
        """Return the body for the upstream."""
        body = self._pair.request(self._exchange, upstream_model)
        fit_call_ids(body, self._pair.upstream_api, self._exchange.quirks)
        self._names = fit_tool_names(body, self._pair.upstream_api, self._exchange.quirks)
        return body

    def response(self, body: JsonObject) -> TranslatedBody:
        """Return the client's view of a whole answer."""
        if self._names:
            restore_tool_names(body, self._pair.upstream_api, self._names)
        try:
            translated = self._pair.response(self._exchange, body)
        except MalformedBody as error:
            raise bad_answer(error) from error
        model = translated.get("model")
        return TranslatedBody(
            body=translated,
            usage=spec_of(self._pair.upstream_api).read_usage(body.get("usage")),
            model=model if isinstance(model, str) else "",
        )

    def error(self, status: int, body: bytes, *, code: str = "") -> bytes:
        """Return the client's view of an error answer."""
        return orjson.dumps(error_body(parse_error(status, body, code), spec_of(self._pair.client_api).shape))

    def stream(self) -> StreamTranslator:
        """Return a translator for one streamed answer."""
        pair = self._pair
        machine = pair.machine(self._exchange)
        if self._names:
            machine = Renamed(machine, partial(restore_tool_names, api=pair.upstream_api, names=self._names))
        return PairStream(machine, client_api=pair.client_api, upstream_api=pair.upstream_api)


def compose(outer: Pair, inner: Pair) -> Pair:
    """Compose two pairs by a third API, in its most expressive form.

    Only valid if the API in the middle can express all that both ends have; LOSSLESS ensures that.
    """

    def middle(exchange: Exchange) -> Exchange:
        quirks = replace(LOSSLESS, provider_tools=exchange.quirks.provider_tools)
        try:
            body = outer.request(replace(exchange, quirks=quirks, is_lossless=True), _model_of(exchange))
        except Uncarried as error:
            raise error.over(inner.upstream_api) from error
        return replace(exchange, request=body)

    def unsaid(exchange: Exchange) -> Exchange:
        # Reading an answer needs parts of the request such as tools, but not the conversation, which is most of the work.
        request = {**exchange.request, spec_of(outer.client_api).conversation: []}
        return replace(middle(replace(exchange, request=request, warnings=[])), is_lossless=True)

    def request(exchange: Exchange, upstream_model: str) -> JsonObject:
        between = middle(exchange)
        try:
            return inner.request(between, upstream_model)
        except (UnsupportedFeature, MalformedBody) as error:
            origins = Origins()
            body = middle(replace(exchange, warnings=[], origins=origins)).request
            raise _in_clients_words(error, exchange.request, body, origins, outer.client_fields, inner.upstream_api) from error

    def response(exchange: Exchange, body: JsonObject) -> JsonObject:
        return outer.response(exchange, inner.response(unsaid(exchange), body))

    def machine(exchange: Exchange) -> Machine:
        between = unsaid(exchange)
        asking = replace(between, request={**between.request, "stream_options": {"include_usage": True}})
        return Chain(inner.machine(asking), outer.machine(exchange))

    return Pair(
        client_api=outer.client_api,
        upstream_api=inner.upstream_api,
        request=request,
        response=response,
        machine=machine,
        through=inner.client_api,
    )


def _in_clients_words(
    error: RequestError, request: JsonObject, middle: JsonObject, origins: Origins, fields: Mapping[str, str], upstream_api: str
) -> RequestError:
    """Name the client's own field in an error about the body in the middle."""
    param = error.param or ""
    place, more = origins.find(middle, param)
    if not place and more:
        place, more = fields.get(str(more[0]), str(more[0])), more[1:]
    where, value = innermost(request, place, more)
    if isinstance(error, Uncarried):
        kind = value.get("type", "") if isinstance(value, dict) else value if where.endswith(".type") else ""
        return error.at(where, upstream_api, str(kind))
    return type(error)(error.public_message.replace(param, where), param=where)


def _model_of(exchange: Exchange) -> str:
    model = exchange.request.get("model")
    return model if isinstance(model, str) else ""
