"""The instances of an upstream, for load balancing. A plain URL is a list of one, see `config.upgrade.instances`."""

from typing import Annotated

from pydantic import Field

from control_plane.config.model.types import Section, Text, TypeName


class Instance(Section):
    """One of several equivalent instances, written as its URL or as this mapping."""

    url: Text
    """Where it listens, `http://host:port/path`; scheme and path must be those of the others."""
    weight: Annotated[int, Field(ge=1, le=1000)] = 1
    """Its load balancing weight, relative to the others."""
    canary: bool = False
    """Whether it serves a new version: Envoy counts its requests separately. Give it a small `weight`."""


Instances = Annotated[tuple[Instance, ...], Field(min_length=1), TypeName("text, or list of text or mappings")]
"""At least one instance, however it was written."""
