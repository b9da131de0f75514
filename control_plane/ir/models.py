"""Models as ext_proc must know them: how clients' APIs reach them, and what attempts at them are sent as."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRoute:
    """How one client API of a model reaches its provider."""

    api: str
    route: str
    path: str
    """At the provider; `{model}` stands for the upstream model. Empty where the attempt stage sets it."""
    stream_route: str = ""
    """Where requests for a stream go; empty for where all go."""
    by_attempt: bool = False
    """Whether the attempt stage edits the body, which then leaves the decide stage as it came."""
    continued: str = ""
    """Route of streams that are continued when they are cut, for listeners that do so; empty: they are not."""
    silence_seconds: float = 0.0
    """How long such a stream may be silent before it counts as cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How a provider differs from others that speak the same API; what is unset is the translation's default."""

    max_tokens_field: str = ""
    """`max_completion_tokens` or `max_tokens`."""
    cache_markers: str = ""
    """`none`, `cache_control` or `prompt_cache_breakpoint`."""
    reasoning_history: str = ""
    """`none`, `reasoning_content` or `reasoning_details`."""
    joins_text: bool = False
    """Whether it takes the texts of a message as one string only."""
    resume_method: str = ""
    """How it takes up a started answer: `prefill` (Messages: it goes on after a last message of the assistant), `partial`
    (Chat Completions: that message is marked so) or `prefix` (marked so, and said again first); empty if it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTarget:
    """An API that a model's provider speaks, for the attempt stage."""

    api: str
    path: str
    """At the provider; `{model}` stands for the upstream model."""
    stream_path: str = ""
    """For requests that ask for a stream; empty for the same."""
    quirks: Quirks = field(default_factory=Quirks)
    client_key_header: str = ""
    """Header in which it takes the client's own key, where that is passed through."""
    failover_route: str = ""
    """On the egress listener, where some chain goes on to it: leads nowhere while it is known to be down."""
    route: str = ""
    """The same, however it is known to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasShare:
    """One of the models that share the requests of an alias."""

    model: str
    weight: int = 1
    routes: tuple[ModelRoute, ...] = ()
    """Where the alias has fallbacks of its own: they stand in for the model's routes of the same APIs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasPlan:
    """An alias that has fallbacks of its own, or is split; any other is in `Gateway.aliases` alone."""

    alias: str
    shares: tuple[AliasShare, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceStart:
    """The routes of a preference when one of its models is tried first; ext_proc has the others tried as they are ranked."""

    model: str
    routes: tuple[ModelRoute, ...]
    """They stand in for the model's own routes of the same APIs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencePlan:
    """A kind of task, and the models for it."""

    name: str
    description: str
    models: tuple[str, ...]
    """In the declared order."""
    prefer: str = ""
    """`cheapest`, `fastest`, or empty for the declared order."""
    starts: tuple[PreferenceStart, ...] = ()
    """Models that can be followed by others, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that clients can ask for."""

    name: str
    """`openai/gpt-4o`, or `openai/*`."""
    upstream_model: str
    """Empty for a wildcard."""
    provider: str
    is_default: bool
    is_internal: bool
    routes: tuple[ModelRoute, ...]
    """One per client API that can be served."""
    targets: tuple[ModelTarget, ...] = ()
    """One per API that the provider speaks, sorted."""
    own_ids: tuple[str, ...] = ()
    """Wildcards: how the bare ids begin that can mean a model of this provider; `o1-` stands for `o1` as well."""
