"""Which model calls are plain: Envoy sends them to their provider by itself, and ext_proc never sees them.

A call is native if nothing needs Python: no filter, limit or preference of the configuration, no translation, no fallback.
What only a body can say is for Envoy to find out, by words: see xds/http_filters/native_path.lua. Names of models mean here
what they mean in `ext_proc.routing.models.resolve`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from control_plane import ir
from control_plane.config.check.callers import callers_of
from control_plane.config.model import Listener, PlanoConfig
from protos import filter_config_pb2 as pb
from protos.contract.apis import CLIENT_PATHS, CONVERSATIONS
from protos.contract.quirks import decode_rules

_HISTORY: Final = {
    "chat_completions": ('"reasoning_content"', '"reasoning_details"', '"extra_content"'),
    "messages": ('"signature"', '"redacted_thinking"', '"encrypted_index"'),
    "responses": ('"encrypted_content"', '"rs_'),
}
"""What another provider may have left in a conversation, which this one refuses."""

_CALL_IDS: Final = {"chat_completions": '"tool_call_id"', "messages": '"tool_use_id"', "responses": '"call_id"'}
_ANSWERED: Final = {
    "chat_completions": ('"assistant"',),
    "messages": ('"assistant"',),
    "responses": ('"assistant"', '"call_id"'),
}
"""In conversations that go on: signals are read from these."""

_Name = tuple[str, pb.Model | None, str]
"""What clients write, the model that it means for sure, and how it was found."""


def build_native_path(listener: Listener, config: PlanoConfig, known: pb.FilterConfig) -> ir.NativePath | None:
    """Build what Envoy does alone on a listener; None if that is nothing. `known` has the models and aliases."""
    if listener.type != "model" or not config.overrides.native_path or config.ratelimits or listener.filters_answers:
        return None
    names = [*_names(known.models, known.aliases)]
    calls = [call for api in _apis(config) for call in _calls(api, names, reads_signals=not config.overrides.disable_signals)]
    if not any(call.route for call in calls):
        return None
    return ir.NativePath(
        models=tuple(sorted(calls, key=lambda call: (call.path, call.name))),
        callers=_callers(listener, config) if listener.asks_for_keys else None,
        is_traced=config.tracing is not None,
    )


def _callers(listener: Listener, config: PlanoConfig) -> tuple[str, ...]:
    return tuple(sorted(caller.name for caller in callers_of(config, listener.name) if caller.models is None))


def lead_natively(routes: Iterable[ir.Route], native: ir.NativePath | None) -> tuple[ir.Route, ...]:
    """Mark the routes that plain calls take."""
    taken = {model.route for model in native.models} if native else set()
    return tuple(replace(route, is_native=True) if route.name in taken else route for route in routes)


def _apis(config: PlanoConfig) -> list[str]:
    """Return the APIs for whose requests the configuration leaves nothing to choose or to mark."""
    caching = config.prompt_caching
    marks = caching is not None and caching.enabled and caching.inject_cache_control
    chooses = bool(config.routing_preferences)
    return [api for api in CLIENT_PATHS if api not in CONVERSATIONS or not (marks or chooses)]


def _names(models: Sequence[pb.Model], aliases: Sequence[pb.Alias]) -> Iterator[_Name]:
    """Yield every name of a model once."""
    named = [model for model in models if not model.internal and model.upstream_model]
    known = {model.name: model for model in models}
    spellings: list[_Name] = [(model.name, model, "exact") for model in named]
    spellings += [(alias.name, None if alias.shares else known.get(alias.model), "alias") for alias in aliases]
    spellings += [(model.name.partition("/")[2], model, "bare_id") for model in named]
    for own in named:
        spellings += [(name, own, "bare_id") for name in (own.upstream_model, f"{own.provider}/{own.upstream_model}")]
    # An alias that is split comes before all else.
    spellings = [(alias.name, None, "") for alias in aliases if len(alias.shares) > 1] + spellings
    spellings += [(model.name, None, "") for model in models if model.internal]
    spellings += [(model.name, model, "wildcard") for model in models if not model.upstream_model]
    seen: set[str] = {""}
    for name, model, reason in spellings:
        if name not in seen:
            seen.add(name)
            yield name, model, reason


def _calls(api: str, names: list[_Name], *, reads_signals: bool) -> Iterator[ir.NativeModel]:
    found = {name: _call(api, name, model, reason, reads_signals) for name, model, reason in names if model}
    native = {name: call for name, call in found.items() if call}
    wildcards = tuple(name.removesuffix("*") for name in native if name.endswith("/*"))
    for name, _, _ in names:
        if name in native:
            yield native[name]
        elif wildcards and name.startswith(wildcards):
            yield ir.NativeModel(path=CLIENT_PATHS[api], name=name, route="")


def _call(api: str, name: str, model: pb.Model, reason: str, reads_signals: bool) -> ir.NativeModel | None:
    route = next((route for route in model.routes if route.api == api), None)
    if route is None or not route.path or route.stream_route or (not model.upstream_model and "{" in route.path):
        return None
    return ir.NativeModel(
        path=CLIENT_PATHS[api],
        name=name,
        route=route.route,
        upstream_path=route.path.replace("{model}", quote(model.upstream_model, safe="")),
        upstream_model=model.upstream_model,
        entry=model.name,
        decision=f"{reason}; native",
        words=tuple(dict.fromkeys(_words(route, model, reads_signals=reads_signals))),
    )


def _words(route: pb.ModelRoute, model: pb.Model, *, reads_signals: bool) -> Iterator[str]:
    yield from _HISTORY.get(route.api, ())
    yield from _ANSWERED.get(route.api, ()) if reads_signals else ()
    if route.tools_route:
        yield '"tools"'
    quirks: Mapping[str, str] = {target.api: target.quirks for target in model.targets}
    if any(rule.quirks.get("call_ids") for rule in decode_rules(quirks.get(route.api, ""))) and route.api in _CALL_IDS:
        yield _CALL_IDS[route.api]
