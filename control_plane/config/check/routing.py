"""Sources of prices and latencies, and what needs them; the session cache."""

import re
from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding
from control_plane.config.lookup import ModelNames
from control_plane.config.model import CostSource, PlanoConfig
from control_plane.config.paths import Path
from control_plane.config.suggest import suggest

_HEADER: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NEEDED_SOURCE: Final = {"cheapest": "cost", "fastest": "latency"}


def check_metrics_sources(config: PlanoConfig) -> Iterator[Finding]:
    """Find two sources of a kind, and policies without their source."""
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
            yield Finding((*path, name), "unknown-model", message)


def check_session_cache(config: PlanoConfig) -> Iterator[Finding]:
    """Find a Redis without an address, and a tenant's header that is none."""
    cache = config.routing.session_cache if config.routing else None
    if cache is not None and cache.tenant_header is not None and not _HEADER.fullmatch(cache.tenant_header):
        message = "should be the name of a request header: letters, digits and `-`"
        yield Finding(("routing", "session_cache", "tenant_header"), "bad-name", message)
    if cache is None or cache.type != "redis":
        return
    path = ("routing", "session_cache", "url")
    if cache.url is None:
        yield Finding(path, "missing-field", "is required for a cache of type redis")
    elif not cache.url.startswith(("redis://", "rediss://")):
        yield Finding(path, "bad-url", "should begin with redis:// or rediss://")
