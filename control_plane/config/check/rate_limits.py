"""Checks rate limits: their models, headers and duplicates."""

from collections.abc import Iterator

from control_plane.config.check.finding import Finding, undefined
from control_plane.config.check.headers import is_header_name
from control_plane.config.lookup import ModelNames
from control_plane.config.model import ModelProvider, PlanoConfig
from control_plane.config.source.paths import Path
from control_plane.config.suggest import suggest


def check_rate_limits(config: PlanoConfig) -> Iterator[Finding]:
    """Find limits with unknown models or invalid headers, and duplicates."""
    models = ModelNames(config)
    seen: list[tuple[ModelProvider, str, str]] = []
    for index, limit in enumerate(config.ratelimits):
        path: Path = ("ratelimits", index)
        if not is_header_name(limit.selector.key):
            message = "should be the name of a request header: letters, digits and `-`"
            yield Finding((*path, "selector", "key"), "bad-name", message)
        entry = models.find(limit.model)
        if entry is None or entry.is_wildcard:
            yield undefined((*path, "model"), "unknown-model", _defect(limit.model, entry, config, models))
            continue
        counted = (entry, limit.selector.key.lower(), limit.selector.value)
        if counted in seen:
            yield Finding(path, "duplicate-limit", "limits the same clients of the same model as one before it")
        seen.append(counted)


def _defect(name: str, entry: ModelProvider | None, config: PlanoConfig, models: ModelNames) -> str:
    if entry is not None:
        return f"`{name}` stands for many models; name one of them"
    if name in config.model_aliases:
        return f"`{name}` is an alias; name the model that it stands for"
    return f"no model is called `{name}`{suggest(name, models.names())}"
