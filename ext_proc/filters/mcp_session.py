"""MCP sessions with filters, one per filter and worker, kept between requests."""


class McpSessions:
    """The open sessions of a worker. Create one per worker and pass it to every chain."""
