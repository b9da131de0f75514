"""Configured models, and all of their names."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRoute:
    """The route of one client API to a model's provider."""

    route: str
    path: str
    """Path at the provider; `{model}` is replaced by the upstream model."""
    stream_route: str = ""
    """Route of streams; empty: the same."""
    tools_route: str = ""
    """Route of requests with tools, for models that accept these only in another API. Empty: the same."""
    by_attempt: bool = False
    """Whether the attempt stage builds the requests, from the body after the decide stage."""
    continued: str = ""
    """Route of resumable streams; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A configured model, or all models of a provider (`openai/*`)."""

    name: str
    upstream_model: str
    """Empty for a wildcard."""
    provider: str
    is_internal: bool = False
    routes: Mapping[str, ModelRoute] = field(default_factory=dict)
    """By client API."""

    @property
    def is_wildcard(self) -> bool:
        """Whether it means every model of its provider."""
        return self.name.endswith("/*")


@dataclass(frozen=True, slots=True)
class Share:
    """One weighted target of an alias."""

    model: Model
    until: int
    """Sum of the weights up to and with this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTables:
    """All names of models."""

    exact: Mapping[str, Model] = field(default_factory=dict)
    """By configured name, `openai/gpt-4o`. Internal models are not in here, wildcards neither."""
    bare: Mapping[str, Model] = field(default_factory=dict)
    """By bare id, `gpt-4o`."""
    aliases: Mapping[str, Model] = field(default_factory=dict)
    splits: Mapping[str, tuple[Share, ...]] = field(default_factory=dict)
    """Aliases whose requests several models share."""
    wildcards: Mapping[str, Model] = field(default_factory=dict)
    """By provider prefix, `openai`."""
    own_ids: tuple[tuple[str, Model], ...] = ()
    """Prefixes of bare ids, and their wildcards; `o1-` also matches `o1`."""
    hidden: frozenset[str] = frozenset()
    """Names of internal models, which clients cannot request, not even through a wildcard."""
    default: Model | None = None
