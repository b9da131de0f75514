"""Checks `resilience` blocks: values that contradict each other after merging all layers."""

import re
from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding, warning
from control_plane.config.model import PlanoConfig, Resilience
from control_plane.config.model.resilience import layered
from control_plane.config.source.paths import Path

_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PATH: Final = re.compile(r"/[!-~]*")


def check_resilience(config: PlanoConfig) -> Iterator[Finding]:
    """Find contradictions; those of `overrides.resilience` are reported there, not at each entry that inherits them."""
    shared = config.overrides.resilience
    path: Path = ("overrides", "resilience")
    inherited = {finding.path[len(path) :]: finding for finding in _defects(path, shared, config)}
    yield from inherited.values()
    for path, own in _blocks(config):
        for finding in _defects(path, layered(shared, own), config):
            known = inherited.get(finding.path[len(path) :])
            if known is None or known.message != finding.message:
                yield finding


def _blocks(config: PlanoConfig) -> Iterator[tuple[Path, Resilience]]:
    for path, own in _places(config):
        if own is not None:
            yield (*path, "resilience"), own


def _places(config: PlanoConfig) -> Iterator[tuple[Path, Resilience | None]]:
    yield from ((("agents", index), agent.resilience) for index, agent in enumerate(config.agents))
    yield from ((("filters", index), filter_.resilience) for index, filter_ in enumerate(config.filters))
    yield from ((("model_providers", index), entry.resilience) for index, entry in enumerate(config.model_providers))
    yield from ((("endpoints", name), endpoint.resilience) for name, endpoint in config.endpoints.items())


def _defects(path: Path, settings: Resilience, config: PlanoConfig) -> Iterator[Finding]:
    yield from _times(path, settings, config)
    yield from _balancing(path, settings)
    check = settings.health_check
    if check is not None and not _PATH.fullmatch(check.path):
        yield Finding((*path, "health_check", "path"), "bad-path", "should begin with `/` and have no spaces")


def _times(path: Path, settings: Resilience, config: PlanoConfig) -> Iterator[Finding]:
    backoff, times = settings.retries.backoff, settings.timeouts
    if backoff.base > backoff.max:
        message = f"{backoff.base:g}s is more than `max`, which is {backoff.max:g}s"
        yield Finding((*path, "retries", "backoff", "base"), "bad-backoff", message)
    for name, seconds in (("first_byte", times.first_byte), ("whole", times.whole)):
        if times.total and seconds and seconds > times.total:
            message = f"{seconds:g}s is more than `total`, which is {times.total:g}s"
            yield Finding((*path, "timeouts", name), "bad-timeout", message)
    connect = times.connect or config.overrides.upstream_connect_timeout
    bound = times.first_byte or times.total
    if bound and times.connect and connect > bound:
        message = f"{connect:g}s is more than the whole answer may take, {bound:g}s"
        yield Finding((*path, "timeouts", "connect"), "bad-timeout", message)


def _balancing(path: Path, settings: Resilience) -> Iterator[Finding]:
    header = settings.hash_header
    if settings.load_balancing == "ring_hash" and header is None:
        message = "needs `hash_header`: the request header whose equal values meet the same instance"
        yield Finding((*path, "load_balancing"), "missing-hash-header", message)
    if header is not None and not _HEADER.fullmatch(header):
        yield Finding((*path, "hash_header"), "bad-header", "is no header name: letters, digits and `-` are")
    elif header is not None and settings.load_balancing != "ring_hash":
        message = f"is not used: `load_balancing` is `{settings.load_balancing}`"
        yield warning((*path, "hash_header"), "unused-hash-header", message)
