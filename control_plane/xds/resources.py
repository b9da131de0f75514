"""The xDS resources of one configuration: by type, sorted by name, serialised.

Equal gateways give equal bytes in any order of declaration, so unchanged resources are not sent again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


class DuplicateResource(Exception):
    """Two resources of one type share a name."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One named, serialised xDS resource."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Resources:
    """An immutable set of resources of several types."""

    by_type: tuple[tuple[str, tuple[Resource, ...]], ...]
    """(type URL, resources), both sorted."""
    version: str
    """Content hash; equal for equal configurations."""

    @classmethod
    def build(cls, named: Iterable[tuple[str, Resource]], *, version: str | None = None) -> "Resources":
        """Sort (type URL, resource) pairs; the version is their content hash unless given."""
        groups: dict[str, dict[str, Resource]] = {}
        for type_url, resource in named:
            group = groups.setdefault(type_url, {})
            if group.setdefault(resource.name, resource) is not resource:
                raise DuplicateResource(f"{type_url}: {resource.name!r} is defined twice")
        by_type = tuple((type_url, tuple(group[name] for name in sorted(group))) for type_url, group in sorted(groups.items()))
        return cls(by_type, version if version is not None else content_hash(by_type))

    def of(self, type_url: str) -> tuple[Resource, ...]:
        """Return the resources of one type, none if there are none."""
        return next((resources for url, resources in self.by_type if url == type_url), ())

    def names(self, type_url: str) -> frozenset[str]:
        """Return the names of one type."""
        return frozenset(resource.name for resource in self.of(type_url))


def content_hash(by_type: tuple[tuple[str, tuple[Resource, ...]], ...]) -> str:
    """Return a content hash of twelve hexadecimal digits."""
    digest = hashlib.sha256()
    for type_url, resources in by_type:
        for resource in resources:
            for part in (type_url.encode(), resource.name.encode(), resource.value):
                digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:12]
