"""All resources of one configuration, immutable. Versions are hashes of the content: unchanged resources are never pushed.

Resources are sorted by name, so the order of a configuration file has no effect.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Protocol, Self


class NamedResource(Protocol):
    """A resource as the translation returns it: a name and a serialised message."""

    @property
    def name(self) -> str: ...  # noqa: D102 - a protocol's field

    @property
    def value(self) -> bytes: ...  # noqa: D102 - a protocol's field


@dataclass(frozen=True)
class ResourceSet:
    """All resources of one type."""

    values: Mapping[str, bytes]
    """Name -> serialised message, sorted by name."""

    @classmethod
    def of(cls, values: Mapping[str, bytes]) -> Self:
        """Build a set from resources in any order."""
        return cls(MappingProxyType(dict(sorted(values.items()))))

    @cached_property
    def version(self) -> str:
        """A hash of the names and contents."""
        digest = hashlib.sha256()
        for name, value in self.values.items():
            digest.update(b"%d %s%d " % (len(name.encode()), name.encode(), len(value)))
            digest.update(value)
        return digest.hexdigest()[:16]

    def union(self, newer: "ResourceSet") -> "ResourceSet":
        """Return both sets as one; of two resources with one name, the newer."""
        return self if newer == self else ResourceSet.of({**self.values, **newer.values})


EMPTY = ResourceSet.of({})


class Translated(Protocol):
    """The translation of one configuration."""

    @property
    def by_type(self) -> Iterable[tuple[str, Iterable[NamedResource]]]: ...  # noqa: D102 - a protocol's field

    @property
    def version(self) -> str: ...  # noqa: D102 - a protocol's field


@dataclass(frozen=True)
class Snapshot:
    """Consistent resources of all types."""

    version: str
    """Version of the configuration."""
    sets: Mapping[str, ResourceSet]
    """By type URL."""

    @classmethod
    def of(cls, resources: Translated) -> Self:
        """Build a snapshot from a translation."""
        sets = {type_url: ResourceSet.of({r.name: r.value for r in items}) for type_url, items in resources.by_type}
        return cls(resources.version, MappingProxyType(sets))

    def of_type(self, type_url: str) -> ResourceSet:
        """Return the resources of one type, none if it is unknown."""
        return self.sets.get(type_url, EMPTY)

    def only(self, type_urls: Iterable[str]) -> "Snapshot":
        """Return the part that consists of the given types."""
        return Snapshot(self.version, MappingProxyType({type_url: self.of_type(type_url) for type_url in sorted(type_urls)}))

    def replacing(self, sets: Mapping[str, ResourceSet]) -> "Snapshot":
        """Return a snapshot that has the given sets in place of its own."""
        return Snapshot(self.version, MappingProxyType({**self.sets, **sets}))

    def changed_types(self, other: "Snapshot") -> frozenset[str]:
        """Return the types whose resources differ between the two."""
        return frozenset(t for t in {*self.sets, *other.sets} if self.of_type(t).version != other.of_type(t).version)


NOTHING = Snapshot("", MappingProxyType({}))
