"""Checks the instances of an agent, filter or provider: they differ only in address, and not all are canaries."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from control_plane.config.check.finding import Finding
from control_plane.config.check.urls import url_defect
from control_plane.config.model import Instance, PlanoConfig
from control_plane.config.source.paths import Path


def check_instances(config: PlanoConfig) -> Iterator[Finding]:
    """Find instances that cannot be load balanced together."""
    for path, instances in written_instances(config):
        if not any(url_defect(instance.url) for instance in instances):
            yield from _alike(path, instances)
        if instances and all(instance.canary for instance in instances):
            message = "is a canary without an instance beside it: one at least must not be a canary"
            yield Finding((*path, 0, "canary"), "canary-alone", message)


def written_instances(config: PlanoConfig) -> Iterator[tuple[Path, tuple[Instance, ...]]]:
    """Yield every list of instances, with its path."""
    for index, agent in enumerate(config.agents):
        yield ("agents", index, "url"), agent.instances
    for index, filter_ in enumerate(config.filters):
        yield ("filters", index, "url"), filter_.instances
    for index, provider in enumerate(config.model_providers):
        yield ("model_providers", index, "base_url"), provider.instances


def _alike(path: Path, instances: tuple[Instance, ...]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, instance in enumerate(instances):
        here = (*path, index, "url")
        first, other = urlsplit(instances[0].url), urlsplit(instance.url)
        if other.scheme != first.scheme:
            yield Finding(here, "mixed-schemes", f"should begin with {first.scheme}:// as the first instance does")
        elif other.path.rstrip("/") != first.path.rstrip("/"):
            yield Finding(here, "mixed-paths", f"should have the path of the first instance, `{first.path.rstrip('/') or '/'}`")
        elif other.netloc.lower() in seen:
            yield Finding(here, "duplicate-instance", "is there twice; give it a `weight` instead")
        seen.add(other.netloc.lower())
