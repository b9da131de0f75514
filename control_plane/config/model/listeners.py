"""Listeners: the ports that clients connect to."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from control_plane.config.model.callers import Auth
from control_plane.config.model.types import (
    Default,
    Duration,
    DurationOrZero,
    FilePath,
    HostPattern,
    IpAddress,
    Port,
    Section,
    Text,
)

MODEL_LISTENER: Final[Mapping[str, Any]] = {"name": "egress_traffic", "port": 12000, "timeout": "300s"}
"""What a model listener is unless configured."""

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "agent": {"timeout": "30s"},
    "model": MODEL_LISTENER,
    "prompt": {"name": "ingress_traffic", "port": 10000, "timeout": "300s"},
}
_OTHER_DEFAULTS: Final[Mapping[str, Any]] = {"timeout": "300s"}
"""Stands for the type of a listener whose type is unknown, so that the type is the only problem reported."""


LOOPBACK: Final = "127.0.0.1"
"""Where a listener listens that has no `address`: whoever reaches one spends the keys of the providers."""


class Variant(Section):
    """Another agent that answers some of an agent's conversations: a canary, or the other side of a comparison."""

    agent: Text
    """Id of an entry of `agents`."""
    weight: Annotated[int, Field(ge=0, le=100)] = 0
    """Its share of conversations, in percent; what the variants leave is the agent's own. A conversation, known by
    `x-model-affinity` or by its first question, stays where it is."""
    header: Text | None = None
    """Requests with this header always go to it."""
    value: Text | None = None
    """Only those whose header has this value; any will do unless it is set."""


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
    variants: tuple[Variant, ...] = ()
    """Agents that answer some of its conversations in its place; description, filters and callers are its own."""


class Orchestration(Section):
    """How the agents of a listener work together on one request."""

    mode: Literal["sequence", "parallel", "first", "loop"] = "sequence"
    """Who is called when several agents are named. `sequence`: one after the other, each sees the answers before its own.
    `parallel`: all at once, each sees the question alone. `first`: all at once, and who answers first wins. `loop`: the first
    named agent drafts and the `evaluator` judges, until a draft passes."""
    stream: Literal["all", "last"] = "all"
    """Whose parts clients get: every agent's, or the last one's alone, as in Plano."""
    on_failure: Literal["stop", "continue"] = "stop"
    """What follows when an agent and its fallbacks fail: the answer ends with an error, or goes on with a note."""
    max_agents: Annotated[int, Field(ge=1, le=20)] = 5
    """How many of the named agents are called at most; with 1, only ever one answers."""
    timeout: DurationOrZero = 0.0
    """Bounds the whole answer of several agents; `0s` does not. The listener's `timeout` bounds each agent."""
    labels: bool = True
    """Whether each part begins with its agent's id, as a line in bold, where several are shown. Programs find the id in the
    field `agent` of chunks, content blocks and output items."""
    synthesizer: Text | None = None
    """`parallel`: agent (id) or model (`provider/model`) that makes one answer of all; clients get this one alone."""
    evaluator: Text | None = None
    """`loop`: agent (id) or model (`provider/model`) that judges drafts: it replies `{"verdict": "pass"}` or `{"verdict":
    "revise", "feedback": ...}`."""
    max_rounds: Annotated[int, Field(ge=1, le=10)] = 3
    """`loop`: how many drafts there may be; the last one is delivered whatever the verdict, which `x-plano-verdict` says."""

    @property
    def role(self) -> str | None:
        """Who plays the role that the mode has beside the agents that are chosen; None if it has none."""
        return {"parallel": self.synthesizer, "loop": self.evaluator}.get(self.mode)


class Cors(Section):
    """Which web pages may call a listener, and read its answers."""

    allow_origins: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Origins such as `https://chat.example.com`; `https://*.example.com` and `*` stand for several. A page of any of them may
    spend what its user may: name as few as you can, and ask for keys."""
    max_age: Duration = 600.0
    """For how long a browser may remember the answer to its preflight."""


class Tls(Section):
    """What a listener proves itself by. Envoy reads the files, again whenever their folder gets a file moved into it."""

    certificate: FilePath
    """Certificate chain in PEM. To renew it, move a new file over it (`mv`, or a link, as Kubernetes and certbot do)."""
    key: FilePath
    """Private key in PEM, in the same folder; Envoy alone reads it."""
    client_ca: FilePath | None = None
    """Authorities in PEM: connections need a certificate that one of these has signed. None is asked for without it."""


class Listener(Section):
    """A port that clients connect to."""

    type: Literal["agent", "model", "prompt"]
    """Who answers: agents, model providers, or prompt targets (`prompt` is accepted and not served yet)."""
    name: Annotated[Text, Default("`egress_traffic` for a model listener, `ingress_traffic` for a prompt listener")]
    """Its name in Envoy, logs and metrics."""
    port: Annotated[Port, Default("12000 for a model listener, 10000 for a prompt listener")]
    """Where it listens."""
    address: Annotated[IpAddress | None, Default("`127.0.0.1`")] = None
    """The interface on which it listens; `0.0.0.0` for all."""
    allowed_hosts: Annotated[tuple[HostPattern, ...], Default("any, or this machine's names where there is no `address`")] = ()
    """Hosts that requests may name, `llm.example.com` or `*.example.com`; others get 421."""
    timeout: Annotated[Duration, Default("30s for an agent listener, 300s for the others")]
    """Bounds the time to the response headers, or to all of a whole answer of a model with fallbacks; never cuts a stream."""
    cors: Cors | None = None
    """Web pages of other origins that may call it, by Envoy's cors filter; none may unless it is set."""
    idle_timeout: Duration = 300.0
    """Bounds silence: a stream without a byte for this long is closed."""
    max_retries: Annotated[int | None, Field(ge=0, le=10), Default("2")] = None
    """Retries after the first attempt, those that continue a stream among them; `x-envoy-max-retries` of a trusted client
    overrides it."""
    continues_streams: bool = True
    """Model listeners: whether fallbacks continue a stream that is cut or falls silent. Streams of models with fallbacks then
    pass through ext_proc, which costs throughput."""
    gates_streams: bool = True
    """Model listeners: whether a stream waits for its first token before the client sees it, so that fallbacks replace a model
    that says nothing, or an error. Always so for streams that are continued. What comes after the first token passes without
    ext_proc where the models speak the client's API, uncounted; without the gate, all of it does."""
    tls: Tls | None = None
    """What clients get TLS with; HTTP/2 or HTTP/1.1, as they wish. Without it, the port speaks plain HTTP."""
    auth: Auth | None = None
    """What clients must show; without it, whoever reaches the port may use what is behind it."""
    orchestration: Orchestration = Orchestration()
    """Agent listeners: how several agents answer one request."""
    router: Literal["plano_orchestrator_v1"] = "plano_orchestrator_v1"
    """How an agent listener chooses; the only way there is."""
    agents: tuple[ListenerAgent, ...] = ()
    """Agents of an agent listener."""
    input_filters: tuple[Text, ...] = ()
    """Ids of filters that see the requests of a model listener first, in this order."""
    output_filters: tuple[Text, ...] = ()
    """Ids of filters that see answers before the client does, in this order: whole ones as they are, of streams longer and
    longer stretches of each text. All answers then pass through ext_proc."""

    @property
    def asks_for_keys(self) -> bool:
        """Whether clients have to show who they are."""
        auth = self.auth
        return auth is not None and (auth.shows_keys or auth.client_certificates or auth.jwt is not None)

    @property
    def filters_answers(self) -> bool:
        """Whether answers have to pass ext_proc, however simple the way of the request is."""
        return self.type != "prompt" and bool(self.output_filters)

    @property
    def is_orchestrated(self) -> bool:
        """Whether more than one agent may take part in an answer."""
        several = len(self.agents) > 1 and self.orchestration.max_agents > 1
        return self.type == "agent" and (several or self.orchestration.mode == "loop")

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        return {**_DEFAULTS.get(str(data.get("type")), _OTHER_DEFAULTS), **data}
