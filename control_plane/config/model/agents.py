"""Agents and filters: HTTP services that listeners refer to by id."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from control_plane.config.model.instances import Instance, Instances
from control_plane.config.model.resilience import Resilience
from control_plane.config.model.types import Default, Duration, Section, Text, TypeName

AgentApi = Literal["chat_completions", "messages", "responses"]


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


AgentApis = Annotated[
    tuple[AgentApi, ...],
    Field(min_length=1),
    BeforeValidator(_listed),
    TypeName("`chat_completions`, `messages` or `responses`, or list of them"),
]


class Agent(Section):
    """An HTTP service that speaks an LLM API, and may answer requests of agent listeners."""

    id: Text
    """Name that listeners refer to; agents and filters share one set of ids."""
    url: Instances
    """Where it listens, `http://host:port/path`, or a list of instances; the path is put before the request's."""
    api: AgentApis = ("chat_completions",)
    """API that it speaks, or several, the best first: requests of clients of other APIs are translated into it."""
    description: str | None = None
    """Description for entries of agent listeners that have none."""
    examples: tuple[Text, ...] = ()
    """Example questions for entries of agent listeners that have none."""
    input_filters: tuple[Text, ...] | None = None
    """Input filters for entries of agent listeners that have none."""
    fallbacks: tuple[Text, ...] = ()
    """Ids of agents that answer, in this order, if it fails; their own filters and fallbacks are not used."""
    resilience: Resilience | None = None
    """Retries, timeouts, circuit breaking, health and load balancing."""

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Where it listens."""
        return self.url


class Filter(Section):
    """A service that sees requests before an agent or a model, or answers before the client, and may change or refuse them."""

    id: Text
    """Name that `input_filters` and `output_filters` refer to; agents and filters share one set of ids."""
    url: Annotated[Instances, Default("needed unless `type: python`")] = ()
    """Where it listens, `http://host:port/path`, or a list of instances."""
    type: Literal["mcp", "http", "python"] = "mcp"
    """Protocol: a tool of an MCP server, an HTTP POST, or a Python function."""
    callable: Annotated[Text | None, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")] = None
    """`type: python`: `module:function`; modules are searched beside the configuration file first. It is called with the body
    (and `path` and `headers`, if it has these parameters) and returns the new body, or None for no change."""
    transport: Literal["streamable-http"] = "streamable-http"
    """Transport of the MCP server."""
    tool: Annotated[Text | None, Default("the filter's id")] = None
    """Name of the MCP tool."""
    timeout: Duration = 30.0
    """Timeout of one call, including retries."""
    on_error: Literal["refuse", "pass"] = "refuse"
    """What happens to a request, or an answer, if the filter is unreachable, too slow or sends an invalid answer: it ends
    with an error, or passes unchanged. What the filter rejects (a 4xx, an MCP error) never passes."""
    hold_back: Annotated[int, Field(ge=0, le=65_536)] = 64
    """Output filters: how many characters of a streamed text are held back until more text arrives, so that the filter
    finds a pattern that is split over events: at least the length of its longest pattern. With 0, each text is sent once,
    on arrival, for filters that track streams themselves."""
    passthrough_auth: bool = False
    """Whether the client's own credentials are sent to this filter."""
    resilience: Resilience | None = None
    """Retries, timeouts, circuit breaking, health and load balancing; `timeout` limits the call."""

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Where it listens."""
        return self.url

    @property
    def tool_name(self) -> str:
        """Name of the MCP tool, which is the filter's id unless configured."""
        return self.tool or self.id
