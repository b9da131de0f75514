"""Configured models, and every spelling under which they can be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRoute:
    """How one client API of a model reaches its provider."""

    route: str
    path: str
    """At the provider; `{model}` stands for the upstream model."""
    stream_route: str = ""
    """Where requests for a stream go; empty for where all go."""
    tools_route: str = ""
    """Where requests that offer tools go, of models that take these in another API only: by attempts. Empty: as all others."""
    by_attempt: bool = False
    """Each attempt's request is made by the attempt stage, from the body that decide leaves."""
    continued: str = ""
    """Route of streams that are continued when they are cut; empty: they are not."""


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
        """Whether it stands for every model of its provider."""
        return self.name.endswith("/*")


@dataclass(frozen=True, slots=True)
class Share:
    """One of the models that share the requests of an alias."""

    model: Model
    until: int
    """Sum of the weights up to and with this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTables:
    """Every spelling under which a model can be asked for."""

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
    """How bare ids begin, and the wildcard that they can mean; `o1-` stands for `o1` as well."""
    hidden: frozenset[str] = frozenset()
    """Names of internal models: not to be asked for, not even through a wildcard."""
    default: Model | None = None
