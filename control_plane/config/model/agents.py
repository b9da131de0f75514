"""Agents and filters: HTTP services that listeners refer to by id."""

from typing import Annotated, Literal

from control_plane.config.model.types import Default, Duration, Section, Text


class Agent(Section):
    """An HTTP service that speaks OpenAI chat completions, and may answer requests of agent listeners."""

    id: Text
    """Name that listeners refer to; agents and filters share one set of ids."""
    url: Text
    """Where it listens, `http://host:port/path`; the path is put before the request's."""
    description: str | None = None
    """What it does; used for entries of agent listeners that have none."""
    input_filters: tuple[Text, ...] | None = None
    """Filters for its requests; used for entries of agent listeners that have none."""


class Filter(Section):
    """An HTTP or MCP service that sees requests before an agent or a model does, and may change or refuse them."""

    id: Text
    """Name that `input_filters` refer to; agents and filters share one set of ids."""
    url: Text
    """Where it listens, `http://host:port/path`."""
    type: Literal["mcp", "http"] = "mcp"
    """How it is called: as a tool of an MCP server, or by an HTTP POST."""
    transport: Literal["streamable-http"] = "streamable-http"
    """Transport of the MCP server."""
    tool: Annotated[Text | None, Default("the filter's id")] = None
    """Name of the MCP tool."""
    timeout: Duration = 30.0
    """Bounds one call."""
    passthrough_auth: bool = False
    """Whether the client's own credentials are sent to this filter."""

    @property
    def tool_name(self) -> str:
        """Name of the MCP tool, which is the filter's id unless configured."""
        return self.tool or self.id
