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
"""Defaults of a model listener."""

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "agent": {"timeout": "30s"},
    "model": MODEL_LISTENER,
    "prompt": {"name": "ingress_traffic", "port": 10000, "timeout": "300s"},
}
_OTHER_DEFAULTS: Final[Mapping[str, Any]] = {"timeout": "300s"}
"""Placeholder for an unknown type, so that only the type is reported."""


LOOPBACK: Final = "127.0.0.1"
"""Default of `address`: clients that reach a listener can use the providers' keys."""


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
    """An agent of a listener."""

    id: Text
    """Id of an entry of `agents` or `filters`."""
    description: Text
    """What the agent does and answers: the gateway chooses agents by it."""
    examples: tuple[Text, ...] = ()
    """Questions that it answers, as users ask them: they are more useful than a description."""
    default: bool = False
    """Whether it answers requests that match no agent; at most one per listener."""
    input_filters: tuple[Text, ...] = ()
    """Ids of filters for its requests, in this order."""
    variants: tuple[Variant, ...] = ()
    """Agents that answer some of its conversations in its place; description, filters and callers are its own."""


class Orchestration(Section):
    """How several agents of a listener answer one request."""

    mode: Literal["sequence", "parallel", "first", "loop"] = "sequence"
    """How several named agents are called. `sequence`: one after the other, each with the previous answers. `parallel`: all
    at once, each with the question only. `first`: all at once, and the first answer wins. `loop`: the first named agent
    writes drafts and the `evaluator` judges them, until a draft passes."""
    stream: Literal["all", "last"] = "all"
    """The parts that clients get: every agent's, or only the last one's, as in Plano."""
    on_failure: Literal["stop", "continue"] = "stop"
    """What happens if an agent and its fallbacks fail: the answer ends with an error, or continues with a note."""
    max_agents: Annotated[int, Field(ge=1, le=20)] = 5
    """Maximum of named agents that are called; with 1, only one agent answers."""
    timeout: DurationOrZero = 0.0
    """Timeout of the whole answer of several agents; `0s` for none. The listener's `timeout` applies to each agent."""
    labels: bool = True
    """Whether each of several parts begins with its agent's id, as a line in bold. Programs find the id in the field `agent`
    of chunks, content blocks and output items."""
    synthesizer: Text | None = None
    """`parallel`: agent (id) or model (`provider/model`) that combines all answers; clients only get the result."""
    evaluator: Text | None = None
    """`loop`: agent (id) or model (`provider/model`) that judges drafts: it replies `{"verdict": "pass"}` or `{"verdict":
    "revise", "feedback": ...}`."""
    max_rounds: Annotated[int, Field(ge=1, le=10)] = 3
    """`loop`: maximum of drafts; the last one is delivered with any verdict, which is in `x-plano-verdict`."""

    @property
    def role(self) -> str | None:
        """Who plays the role that the mode has beside the agents that are chosen; None if it has none."""
        return {"parallel": self.synthesizer, "loop": self.evaluator}.get(self.mode)


class Cors(Section):
    """The web origins that may call a listener, and read its answers."""

    allow_origins: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Origins such as `https://chat.example.com`; `https://*.example.com` and `*` match several. Their pages can do what
    their user can: list as few as possible, and require keys."""
    max_age: Duration = 600.0
    """How long browsers may cache the answer to a preflight."""


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
    """What it serves: agents, model providers, or prompt targets (`prompt` is accepted but not served yet)."""
    name: Annotated[Text, Default("`egress_traffic` for a model listener, `ingress_traffic` for a prompt listener")]
    """Name in Envoy, logs and metrics."""
    port: Annotated[Port, Default("12000 for a model listener, 10000 for a prompt listener")]
    """Where it listens."""
    address: Annotated[IpAddress | None, Default("`127.0.0.1`")] = None
    """The interface on which it listens; `0.0.0.0` for all."""
    allowed_hosts: Annotated[tuple[HostPattern, ...], Default("any, or this machine's names where there is no `address`")] = ()
    """Allowed hosts of requests, `llm.example.com` or `*.example.com`; others get 421."""
    timeout: Annotated[Duration, Default("30s for an agent listener, 300s for the others")]
    """Timeout of the response headers, or of a complete whole answer of a model with fallbacks; never ends a stream."""
    cors: Cors | None = None
    """Web origins that may call it, by Envoy's cors filter; by default none."""
    idle_timeout: Duration = 300.0
    """A stream without a byte for this long is closed."""
    max_retries: Annotated[int | None, Field(ge=0, le=10), Default("2")] = None
    """Retries after the first attempt, those that continue a stream among them; `x-envoy-max-retries` of a trusted client
    overrides it."""
    continues_streams: bool = True
    """Model listeners: whether fallbacks resume a stream that breaks off or stalls. Streams of models with fallbacks then
    pass through ext_proc, which costs throughput."""
    gates_streams: bool = True
    """Model listeners: whether a stream is held until its first token, so that fallbacks replace a model that sends nothing,
    or an error. Always enabled for streams that can be resumed. If the models use the client's API, the rest passes without
    ext_proc, and without its metrics; without the gate, the whole stream does."""
    tls: Tls | None = None
    """TLS for clients, with HTTP/2 and HTTP/1.1. Without it, the port serves plain HTTP."""
    auth: Auth | None = None
    """Authentication of clients; without it, every client that reaches the port may use the listener."""
    orchestration: Orchestration = Orchestration()
    """Agent listeners: how several agents answer one request."""
    router: Literal["plano_orchestrator_v1"] = "plano_orchestrator_v1"
    """The router of an agent listener; there is only this one."""
    agents: tuple[ListenerAgent, ...] = ()
    """Agents of an agent listener."""
    input_filters: tuple[Text, ...] = ()
    """Ids of filters for the requests of a model listener, in this order."""
    output_filters: tuple[Text, ...] = ()
    """Ids of filters for answers, in this order: they receive whole answers, and growing windows of each text of a
    stream. All answers then pass through ext_proc."""

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
