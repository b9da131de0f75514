"""Prompt targets and what belongs to them: functions that the gateway calls for a prompt listener."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.config.model.resilience import Resilience
from control_plane.config.model.types import Duration, SecretText, Section, Text

Scalar = str | int | bool


class Endpoint(Section):
    """A host that prompt targets call."""

    endpoint: Text
    """`host` or `host:port`."""
    connect_timeout: Duration | None = None
    """Connect timeout."""
    protocol: Literal["http", "https"] = "http"
    """Whether TLS is used."""
    http_host: Text | None = None
    """Host header of requests."""
    prefix_affinity: bool = False
    """Whether prompts with the same beginning go to the same replica."""
    resilience: Resilience | None = None
    """Retries, timeouts, circuit breaking, health and load balancing."""


class PromptParameter(Section):
    """A parameter that is taken from the conversation."""

    name: Text
    """Its name in the call."""
    description: str
    """What it means."""
    type: Text
    """Its type: `str`, `int`, `float`, `bool`, `list` or `dict`."""
    required: bool | None = None
    """Whether the call needs it."""
    default: Scalar | None = None
    """Its value when the conversation has none."""
    enum: tuple[Scalar, ...] | None = None
    """The values that it can have."""
    in_path: bool | None = None
    """Whether it is a part of the path."""
    format: str | None = None
    """Its format, in words."""


class PromptEndpoint(Section):
    """Where a prompt target is called."""

    name: Text
    """One of `endpoints`."""
    path: Text
    """Path of the call; `{name}` is replaced by a parameter."""
    http_method: Literal["GET", "POST"] = "GET"
    """Method of the call."""
    http_headers: Annotated[dict[str, SecretText], Field(default_factory=dict)]
    """Headers of the call."""


class PromptTarget(Section):
    """A function that answers some prompts."""

    name: Text
    """Its name."""
    description: str
    """What it answers."""
    default: bool = False
    """Whether it answers prompts that match no other target."""
    auto_llm_dispatch_on_response: bool = True
    """Whether a model puts its result into words."""
    parameters: tuple[PromptParameter, ...] = ()
    """What is taken from the conversation."""
    endpoint: PromptEndpoint | None = None
    """Where it is called."""
    system_prompt: str | None = None
    """System prompt for this target."""


class OnException(Section):
    """The reply instead."""

    message: str
    """Text of the answer."""


class Jailbreak(Section):
    """Guard against jailbreaks."""

    filter: Text | None = None
    """Id of the filter that recognizes them, by refusing them: it sees every request of every listener first. Needed, since the
    gateway recognizes none by itself."""
    on_exception: OnException
    """What clients are told when it refuses, in place of the filter's own words."""


class InputGuards(Section):
    """Guards of requests."""

    jailbreak: Jailbreak
    """Guard against jailbreaks."""


class PromptGuards(Section):
    """Built-in guards."""

    input_guards: InputGuards | None = None
    """Guards of requests."""
