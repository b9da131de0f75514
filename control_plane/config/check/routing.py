"""Checks price and latency sources, policies that need them, and the session cache."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from control_plane.config.check.finding import Finding, undefined, warning
from control_plane.config.check.urls import is_host
from control_plane.config.lookup import ModelNames
from control_plane.config.model import CostSource, PlanoConfig
from control_plane.config.model.routing import Routing, SessionCache
from control_plane.config.source.paths import Path
from control_plane.config.suggest import suggest
from control_plane.ir.secret import Secret

_HEADER: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NEEDED_SOURCE: Final = {"cheapest": "cost", "fastest": "latency"}


def check_metrics_sources(config: PlanoConfig) -> Iterator[Finding]:
    """Find two sources of the same kind, and policies without their source."""
    seen: set[str] = set()
    for index, source in enumerate(config.model_metrics_sources):
        if source.type in seen:
            message = f"there can be one source of type {source.type}"
            yield Finding(("model_metrics_sources", index, "type"), "two-sources", message)
        seen.add(source.type)
        if isinstance(source, CostSource):
            yield from _aliases(("model_metrics_sources", index, "model_aliases"), source, ModelNames(config))
    for index, preference in enumerate(config.routing_preferences):
        policy = preference.selection_policy
        needed = _NEEDED_SOURCE.get(policy.prefer) if policy else None
        if policy and needed and needed not in seen:
            message = f"`{policy.prefer}` needs an entry of type {needed} in model_metrics_sources"
            yield Finding(("routing_preferences", index, "selection_policy", "prefer"), "missing-source", message)
    if config.routing and config.routing.routing_budget and "cost" not in seen:
        message = "needs an entry of type cost in model_metrics_sources"
        yield Finding(("routing", "routing_budget"), "missing-source", message)


def _aliases(path: Path, source: CostSource, models: ModelNames) -> Iterator[Finding]:
    for name, model in source.model_aliases.items():
        if models.find(model) is None:
            message = f"no model is called `{model}`{suggest(model, models.names())}"
            yield undefined((*path, name), "unknown-model", message)


def check_session_cache(config: PlanoConfig) -> Iterator[Finding]:
    """Find an invalid Redis URL, and an invalid tenant header."""
    routing = config.routing
    cache = routing.session_cache if routing else None
    if cache is not None and cache.tenant_header is not None and not _HEADER.fullmatch(cache.tenant_header):
        message = "should be the name of a request header: letters, digits and `-`"
        yield Finding(("routing", "session_cache", "tenant_header"), "bad-name", message)
    if routing is not None and cache is not None:
        yield from _redis(routing, cache)


def _redis(routing: Routing, cache: SessionCache) -> Iterator[Finding]:
    path = ("routing", "session_cache", "url")
    if cache.type != "redis":
        if cache.url is not None:
            yield warning(path, "no-effect", "has no effect without `type: redis`")
        return
    if "session_max_entries" in routing.model_fields_set:
        message = "has no effect with a cache of type redis: sessions end with their time, or as its `maxmemory-policy` says"
        yield warning(("routing", "session_max_entries"), "no-effect", message)
    if cache.url is None:
        yield Finding(path, "missing-field", "is required for a cache of type redis")
    elif (defect := redis_url_defect(cache.url)) is not None:
        yield Finding(path, "bad-url", defect)


def redis_url_defect(url: Secret) -> str | None:
    """Describe what is wrong with a Redis URL, without repeating it."""
    try:
        parts = urlsplit(url.reveal())
        port = parts.port
    except ValueError:
        return "should have a port between 1 and 65535, if any, and an IPv6 address only in brackets"
    if parts.scheme not in ("redis", "rediss"):
        return "should begin with redis:// or rediss://"
    if not is_host(parts.hostname or "") or port == 0:
        return "should name a host, such as `redis://localhost:6379`; in a password, write `@` as `%40` and `/` as `%2F`"
    if parts.username and not parts.password:
        return "should have a password beside its user name; `redis://:password@host` is for the default user"
    if parts.path not in ("", "/", "/0"):
        return "should name no database but 0: Envoy shares its connections, on which another could not be chosen"
    return "should end with its host and port: a `?` or `#` has no meaning here" if parts.query or parts.fragment else None
