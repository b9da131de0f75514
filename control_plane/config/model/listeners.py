"""Listeners: the ports that clients connect to."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from control_plane.config.model.types import Default, Duration, IpAddress, Port, Section, Text

MODEL_LISTENER: Final[Mapping[str, Any]] = {"name": "egress_traffic", "port": 12000, "timeout": "300s"}
"""What a model listener is unless configured."""

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "agent": {"timeout": "30s"},
    "model": MODEL_LISTENER,
    "prompt": {"name": "ingress_traffic", "port": 10000, "timeout": "300s"},
}
_OTHER_DEFAULTS: Final[Mapping[str, Any]] = {"timeout": "300s"}
"""Stands for the type of a listener whose type is unknown, so that the type is the only problem reported."""


class ListenerAgent(Section):
    """An agent as one listener offers it."""

    id: Text
    """Id of an entry of `agents` or `filters`."""
    description: Text
    """What the agent does and what it answers: the gateway chooses agents by it."""
    examples: tuple[Text, ...] = ()
    """Questions that it answers, as people ask them: they tell more than a description."""
    default: bool = False
    """Whether it answers what no agent fits; at most one per listener."""
    input_filters: tuple[Text, ...] = ()
    """Ids of filters that see its requests first, in this order."""


class Listener(Section):
    """A port that clients connect to."""

    type: Literal["agent", "model", "prompt"]
    """Who answers: agents, model providers, or prompt targets (`prompt` is accepted and not served yet)."""
    name: Annotated[Text, Default("`egress_traffic` for a model listener, `ingress_traffic` for a prompt listener")]
    """Its name in Envoy, logs and metrics."""
    port: Annotated[Port, Default("12000 for a model listener, 10000 for a prompt listener")]
    """Where it listens."""
    address: IpAddress = "0.0.0.0"  # noqa: S104 - Plano's default: a gateway serves its network
    """The interface on which it listens."""
    timeout: Annotated[Duration, Default("30s for an agent listener, 300s for the others")]
    """Bounds the time to the response headers, or to all of a whole answer of a model with fallbacks; never cuts a stream."""
    idle_timeout: Duration = 300.0
    """Bounds silence: a stream without a byte for this long is closed."""
    max_retries: Annotated[int | None, Field(ge=0, le=10), Default("2")] = None
    """Retries after the first attempt; `x-envoy-max-retries` of a trusted client overrides it."""
    continues_streams: bool = True
    """Model listeners: whether fallbacks continue a stream that is cut or falls silent. Streams of models with fallbacks then
    pass through ext_proc, which costs throughput."""
    gates_streams: bool = True
    """Model listeners: whether a stream waits for its first token before the client sees it, so that fallbacks replace a model
    that says nothing, or an error. Always so for streams that are continued. What comes after the first token passes without
    ext_proc where the models speak the client's API, uncounted; without the gate, all of it does."""
    router: Literal["plano_orchestrator_v1"] = "plano_orchestrator_v1"
    """How an agent listener chooses; the only way there is."""
    agents: tuple[ListenerAgent, ...] = ()
    """Agents of an agent listener."""
    input_filters: tuple[Text, ...] = ()
    """Ids of filters that see the requests of a model listener first, in this order."""
    output_filters: tuple[Text, ...] = ()
    """Ids of filters that see responses before the client does. Refused as long as answers are not filtered."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {**_DEFAULTS.get(str(data.get("type")), _OTHER_DEFAULTS), **data}
