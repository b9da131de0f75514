"""Builds the request of an attempt from the client's body: edits the model's name, or translates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from ext_proc.apis.registry import shape_of, spec_of
from ext_proc.attempt.target import AttemptTarget
from ext_proc.codec.json_body import parse_object, write_json
from ext_proc.codec.model_edit import replace_model
from ext_proc.events import Continue
from ext_proc.translate.cache_markers import mark_for_cache
from ext_proc.translate.converse.betas import HEADER as BETA_HEADER
from ext_proc.translate.converse.betas import names_in
from ext_proc.translate.history import fit_history, fit_request
from ext_proc.translate.passthrough import Identity
from ext_proc.translate.registry import translation
from ext_proc.translate.translation import CHAT_COMPLETIONS, CONVERSE, MESSAGES, Exchange, Translation
from protos.contract.headers import ROUTE_HEADER

_ANTHROPIC_VERSION: Final = "2023-06-01"
_AUTHORIZATION: Final = "authorization"
_BEARER: Final = "Bearer "
_TOOLS: Final = b'"tools"'
_X_API_KEY: Final = "x-api-key"
_PER_TRY_HEADER: Final = "x-envoy-upstream-rq-per-try-timeout-ms"
_OF_THE_TIME: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The request of an attempt."""

    target: AttemptTarget
    """Its target: a request with tools may be sent in another API than the chain's."""
    reply: Continue
    translation: Translation
    reads: str
    """The API of the upstream's answer."""
    is_identity: bool
    warnings: tuple[str, ...] = ()
    """Parts that were omitted from the request, in the client's terms."""


def prepare(target: AttemptTarget, body: bytes, *, headers: Mapping[str, str], exchange_id: str, now: int) -> Prepared:
    """Build the request of an attempt; `headers` are its current headers.

    Raises:
        RequestError: the target cannot carry it, or it is not a request of its API.
    """
    target = _for_tools(target, body)
    is_identity = target.api == target.client_api
    reads = _reads(target.api)
    quirks = target.upstream.quirks.of(target.upstream_model)
    made: Translation
    warnings: tuple[str, ...] = ()
    if is_identity:
        made = Identity(reads, Exchange(request={}, id=exchange_id, created=now))
        sent = replace_model(body, target.upstream_model, has_model=target.has_model)
        sent = fit_request(fit_history(sent, target.api, quirks), quirks)
        path = target.upstream.path
    else:
        exchange = Exchange(
            request=parse_object(body),
            id=exchange_id,
            created=now,
            quirks=quirks,
            upstream_model=target.upstream_model,
            betas=names_in(headers.get(BETA_HEADER, "")),
        )
        made = translation(target.client_api, target.api, exchange)
        sent = write_json(made.request(upstream_model=target.upstream_model))
        warnings = tuple(exchange.warnings)
        is_stream = exchange.request.get("stream") is True
        path = (target.upstream.stream_path if is_stream else "") or target.upstream.path
    if target.cache_from:
        sent = mark_for_cache(sent, target.api, model=target.upstream_model, quirks=quirks, least_tokens=target.cache_from)
    reply = _reply(target, path, sent, headers)
    return Prepared(target=target, reply=reply, translation=made, reads=reads, is_identity=is_identity, warnings=warnings)


def sent_as_it_is(target: AttemptTarget, *, exchange_id: str, now: int) -> Prepared:
    """Describe a request that was sent without the attempt stage, in its client's own API."""
    reads = _reads(target.api)
    made = Identity(reads, Exchange(request={}, id=exchange_id, created=now))
    return Prepared(target=target, reply=Continue(), translation=made, reads=reads, is_identity=True)


def _for_tools(target: AttemptTarget, body: bytes) -> AttemptTarget:
    """Choose the API in which the model accepts tools, if there are any and the chain's API does not."""
    wanted = target.upstream.quirks.of(target.upstream_model).tools_api
    elsewhere = target.upstream.for_tools.get(wanted)
    if elsewhere is None or _TOOLS not in body:
        return target
    reached = replace(elsewhere, route=target.upstream.route, failover_route=target.upstream.failover_route)
    return replace(target, api=wanted, upstream=reached)


def _reads(api: str) -> str:
    if api == CONVERSE or spec_of(api).conversation:
        return api
    return MESSAGES if shape_of(api) == "anthropic" else CHAT_COMPLETIONS


def _reply(target: AttemptTarget, path: str, body: bytes, headers: Mapping[str, str]) -> Continue:
    changed = {
        ":path": _path(target, path),
        ROUTE_HEADER: target.route,
        # A timeout behind the attempts listener, so that the target counts it as a failure.
        _PER_TRY_HEADER: str(round(target.bounds.seconds * 1000 * _OF_THE_TIME)),
    }
    if shape_of(target.api) == "anthropic" and "anthropic-version" not in headers:
        changed["anthropic-version"] = _ANTHROPIC_VERSION
    key = _client_key(target, headers)
    gone = [_AUTHORIZATION] if key and _AUTHORIZATION not in key else []
    if target.api == CONVERSE and BETA_HEADER in headers:
        gone.append(BETA_HEADER)  # Bedrock rejects unknown names.
    return Continue(set_headers=changed | key, remove_headers=tuple(gone), body=body, clear_route_cache=True)


def _client_key(target: AttemptTarget, headers: Mapping[str, str]) -> dict[str, str]:
    """Move the client's own key to the header of its provider: clients of another API use another header."""
    wanted = target.upstream.client_key_header
    if not wanted or wanted in headers:
        return {}
    if wanted == _X_API_KEY and target.client_api == MESSAGES:
        return {}  # A token of a Claude subscription passes unchanged.
    key = headers.get(_X_API_KEY) or headers.get(_AUTHORIZATION, "").removeprefix(_BEARER)
    if not key:
        return {}
    return {wanted: _BEARER + key if wanted == _AUTHORIZATION else key}


def _path(target: AttemptTarget, path: str) -> str:
    path = path.replace("{model}", quote(target.upstream_model, safe=""))
    # A client's query is only valid in its own API, and is dropped if the provider's path has a query.
    return path if "?" in path or target.api != target.client_api else path + target.query
