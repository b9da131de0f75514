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
    """What it does; used for entries of agent listeners that have none."""
    examples: tuple[Text, ...] = ()
    """Questions that it answers; used for entries of agent listeners that have none."""
    input_filters: tuple[Text, ...] | None = None
    """Filters for its requests; used for entries of agent listeners that have none."""
    fallbacks: tuple[Text, ...] = ()
    """Ids of agents that are asked, in this order, when it does not answer; their own filters and fallbacks do not count."""
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
    """How it is called: as a tool of an MCP server, by an HTTP POST, or as a Python function."""
    callable: Annotated[Text | None, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")] = None
    """`type: python`: `module:function`; modules are looked for beside the configuration file first. It is called with the body
    (and `path` and `headers`, if it takes them) and returns the body that follows, or None for no change."""
    transport: Literal["streamable-http"] = "streamable-http"
    """Transport of the MCP server."""
    tool: Annotated[Text | None, Default("the filter's id")] = None
    """Name of the MCP tool."""
    timeout: Duration = 30.0
    """Bounds one call, retries included."""
    on_error: Literal["refuse", "pass"] = "refuse"
    """What becomes of a request, or an answer, when the filter cannot be reached, is too slow or answers nonsense: it ends with
    an error, or passes as it is. What the filter refuses (a 4xx, an MCP error) never passes."""
    hold_back: Annotated[int, Field(ge=0, le=65_536)] = 64
    """Output filters: how many characters of a text in a stream wait for what follows, so that what the filter looks for is
    found in any number of events: as many as the longest thing has. With 0, each text is shown once, as it comes: for filters
    that keep track of streams themselves."""
    passthrough_auth: bool = False
    """Whether the client's own credentials are sent to this filter."""
    resilience: Resilience | None = None
    """Retries, timeouts, circuit breaking, health and load balancing; `timeout` bounds the call."""

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Where it listens."""
        return self.url

    @property
    def tool_name(self) -> str:
        """Name of the MCP tool, which is the filter's id unless configured."""
        return self.tool or self.id
